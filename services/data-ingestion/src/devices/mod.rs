//! Who may send what: devices, their keys and the schemas of their types.

mod fixed;
mod postgres;

pub use fixed::Fixed;
pub use postgres::Registry;

use futures::future::BoxFuture;
use service::KeyHash;
use service::schema::ReadingSchema;
use std::sync::Arc;

/// A device as ingestion sees it.
#[derive(Debug, Clone)]
pub struct Device {
    /// Whether it may send now.
    pub active: bool,
    /// What its type measures.
    pub schema: Arc<ReadingSchema>,
    /// Its valid keys.
    pub keys: Vec<KeyHash>,
}

impl Device {
    /// Whether this is a key of it. Every key is compared, so that the time tells nothing.
    pub fn has_key(&self, key: &str) -> bool {
        self.keys.iter().fold(false, |found, hash| hash.matches(key) | found)
    }
}

/// Nobody can say now whether the device exists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the device registry is away: {0}")]
pub struct Unavailable(pub String);

/// Where devices come from.
pub trait Devices: Send + Sync {
    /// The device of this id.
    fn find<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Arc<Device>>, Unavailable>>;
}

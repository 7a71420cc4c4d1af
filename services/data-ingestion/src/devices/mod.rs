//! Who may send what: devices, their keys and the schemas of their types.

mod fixed;
mod postgres;

pub use fixed::Fixed;
pub use postgres::{Belief, Registry};

use futures::future::BoxFuture;
use service::KeyHash;
use service::schema::ReadingSchema;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A device as ingestion sees it.
#[derive(Debug)]
pub struct Device {
    /// Whether it may send now.
    pub active: bool,
    /// What its type measures.
    pub schema: Arc<ReadingSchema>,
    /// Its valid keys.
    pub keys: Vec<KeyHash>,
    /// When it last sent something, nanoseconds since 1970; 0 when that was told already. A mark that costs nothing per
    /// message: whoever keeps `last seen` collects it now and then.
    heard: AtomicI64,
}

impl Device {
    /// A device that was not heard of yet.
    pub fn new(active: bool, schema: Arc<ReadingSchema>, keys: Vec<KeyHash>) -> Self {
        Self { active, schema, keys, heard: AtomicI64::new(0) }
    }

    /// Whether this is a key of it. Every key is compared, so that the time tells nothing.
    pub fn has_key(&self, key: &str) -> bool {
        self.keys.iter().fold(false, |found, hash| hash.matches(key) | found)
    }

    /// It has sent something, as itself: over MQTT the broker knows who it is, elsewhere its key was seen.
    pub fn heard(&self, now: i64) {
        self.heard.fetch_max(now, Ordering::Relaxed);
    }

    /// When it was last heard of since this was asked the last time.
    fn take_heard(&self) -> Option<i64> {
        Some(self.heard.swap(0, Ordering::Relaxed)).filter(|heard| *heard > 0)
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

    /// The same as far as it is believed without asking anybody. `None`: it must be asked for.
    fn recall(&self, _id: &str) -> Option<Option<Arc<Device>>> {
        None
    }

    /// Counts what is known to have changed: whoever holds a device for long asks again when this is another number.
    fn changes(&self) -> u64 {
        0
    }
}

//! Every id is a device of the original's type: for trials and measurements without device-management (`DEVICES=any`).

use super::{Device, Devices, Unavailable};
use crate::schema::original;
use futures::future::BoxFuture;
use service::KeyHash;
use std::sync::Arc;

/// The device that every id is.
#[derive(Debug)]
pub struct Fixed(Arc<Device>);

impl Fixed {
    /// Any id, with this key.
    pub fn any(key: &str) -> Self {
        Self(Arc::new(Device::new(true, Arc::new(original()), vec![KeyHash::of(key)])))
    }
}

impl Devices for Fixed {
    fn find<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<Arc<Device>>, Unavailable>> {
        Box::pin(std::future::ready(Ok(Some(Arc::clone(&self.0)))))
    }

    fn recall(&self, _: &str) -> Option<Option<Arc<Device>>> {
        Some(Some(Arc::clone(&self.0)))
    }
}

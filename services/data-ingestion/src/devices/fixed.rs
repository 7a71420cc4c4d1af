//! Every id is a device of the original's type: for trials and measurements without device-management (`DEVICES=any`).

use super::{Device, Devices, Unavailable};
use crate::schema::original;
use futures::future::BoxFuture;
use service::KeyHash;
use service::schema::ReadingSchema;
use std::collections::HashMap;
use std::sync::Arc;

/// Devices that are known from the start.
#[derive(Debug)]
pub struct Fixed {
    named: HashMap<Box<str>, Arc<Device>>,
    other: Option<Arc<Device>>,
}

impl Fixed {
    /// Any id, with this key.
    pub fn any(key: &str) -> Self {
        let device = Device::new(true, Arc::new(original()), vec![KeyHash::of(key)]);
        Self { named: HashMap::new(), other: Some(Arc::new(device)) }
    }

    /// Only these, of one type, with their keys.
    pub fn only<'a>(schema: ReadingSchema, devices: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let schema = Arc::new(schema);
        let device = |key| Arc::new(Device::new(true, Arc::clone(&schema), vec![KeyHash::of(key)]));
        Self { named: devices.into_iter().map(|(id, key)| (id.into(), device(key))).collect(), other: None }
    }
}

impl Devices for Fixed {
    fn find<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Arc<Device>>, Unavailable>> {
        Box::pin(std::future::ready(Ok(self.recall(id).flatten())))
    }

    fn recall(&self, id: &str) -> Option<Option<Arc<Device>>> {
        Some(self.named.get(id).or(self.other.as_ref()).cloned())
    }
}

//! How many WebSockets each device has: whoever has one device's key must not take the seats of all others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The WebSockets of all devices.
#[derive(Debug, Clone)]
pub struct Places {
    most: usize,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

/// One WebSocket; its place is free again when it is dropped.
#[derive(Debug)]
pub struct Place {
    device: String,
    of: Places,
}

impl Places {
    /// So many for each device.
    pub fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// A place, unless the device has taken all of its own.
    pub fn take(&self, device: &str) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(device.to_owned()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { device: device.to_owned(), of: self.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.of.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.device) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.device);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_device_has_its_own_places_and_nothing_stays_behind() {
        let places = Places::new(2);
        let both = [places.take("a").unwrap(), places.take("a").unwrap()];
        assert!(places.take("a").is_none() && places.take("b").is_some());
        drop(both);
        assert!(places.take("a").is_some());
        assert!(places.taken.lock().unwrap().is_empty(), "{places:?}");
    }
}

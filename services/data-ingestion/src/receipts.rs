//! Receipts on their way to devices: the newest of each device, until it is sent. The newest says all that older ones said.

use crate::stream::Receipt;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a receipt that was handed to the broker counts as not yet arrived.
const IN_FLIGHT: Duration = Duration::from_secs(10);

/// What waits to be sent. Clones share it; as many as there are devices.
#[derive(Debug, Clone, Default)]
pub struct Receipts {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: HashMap<Box<str>, Receipt>,
    sent: HashMap<Box<str>, (Instant, Receipt)>,
}

impl Receipts {
    /// Notes a receipt to be sent.
    pub fn post(&self, device: Box<str>, receipt: Receipt) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.sent.remove(&device);
        // A batch read late must not take back what a younger one said of the same boot.
        let older =
            inner.waiting.get(&device).is_some_and(|known| known.boot == receipt.boot && known.stored > receipt.stored);
        if !older {
            inner.waiting.insert(device, receipt);
        }
    }

    /// Takes all that wait.
    pub fn take(&self) -> Vec<(Box<str>, Receipt)> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.sent.retain(|_, (when, _)| when.elapsed() < IN_FLIGHT);
        inner.waiting.drain().collect()
    }

    /// Puts one back that could not be sent, unless a newer one came meanwhile.
    pub fn put_back(&self, device: Box<str>, receipt: Receipt) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.waiting.entry(device).or_insert(receipt);
    }

    /// Notes that one was handed to the broker.
    pub fn sent(&self, device: Box<str>, receipt: Receipt) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.sent.insert(device, (Instant::now(), receipt));
    }

    /// The connection broke: what was under way may be lost, and is sent again.
    pub fn lost_connection(&self) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = std::mem::take(&mut inner.sent);
        for (device, (_, receipt)) in sent {
            inner.waiting.entry(device).or_insert(receipt);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(stored: u64) -> Receipt {
        Receipt { boot: "b".to_owned(), stored, refused: Vec::new() }
    }

    #[test]
    fn only_the_newest_is_sent() {
        let receipts = Receipts::default();
        receipts.post("esp-1".into(), receipt(5));
        receipts.post("esp-1".into(), receipt(3));
        assert_eq!(receipts.take(), [("esp-1".into(), receipt(5))]);
        receipts.post("esp-1".into(), receipt(6));
        receipts.put_back("esp-1".into(), receipt(5));
        assert_eq!(receipts.take(), [("esp-1".into(), receipt(6))]);
    }

    #[test]
    fn what_was_under_way_when_the_connection_broke_is_sent_again() {
        let receipts = Receipts::default();
        receipts.sent("esp-1".into(), receipt(5));
        receipts.lost_connection();
        assert_eq!(receipts.take(), [("esp-1".into(), receipt(5))]);
    }
}

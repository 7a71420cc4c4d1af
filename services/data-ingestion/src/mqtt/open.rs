//! Messages that have arrived and are not yet in the stream. When they are too many, nothing more is read from the broker.

use futures::task::AtomicWaker;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

/// So many bytes of them are enough, however few they are.
const MOST_BYTES: usize = 16 << 20;

/// Their number and size. A broker should send no more than it may without our answers, but Mosquitto 2.0.11 sends all that a
/// session has queued, up to 65,535 messages, when the session comes back.
#[derive(Debug)]
pub struct Open {
    /// How many there are.
    pub messages: AtomicUsize,
    bytes: AtomicUsize,
    most: usize,
    reader: AtomicWaker,
}

impl Open {
    /// None yet; beyond `most` reading stops.
    pub fn new(most: usize) -> Self {
        Self { messages: AtomicUsize::new(0), bytes: AtomicUsize::new(0), most, reader: AtomicWaker::new() }
    }

    /// One has arrived.
    pub fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.messages.fetch_add(1, Ordering::Relaxed);
    }

    /// One is in the stream, and its answer under way.
    pub fn remove(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.messages.fetch_sub(1, Ordering::Release);
        if !self.is_full() {
            self.reader.wake();
        }
    }

    fn is_full(&self) -> bool {
        self.messages.load(Ordering::Acquire) > self.most || self.bytes.load(Ordering::Relaxed) > MOST_BYTES
    }

    /// Ready when one more may be read.
    pub fn poll_room(&self, context: &mut Context<'_>) -> Poll<()> {
        if !self.is_full() {
            return Poll::Ready(());
        }
        self.reader.register(context.waker());
        // One may have gone before the waker was in place.
        if self.is_full() { Poll::Pending } else { Poll::Ready(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::future::poll_fn;
    use std::sync::Arc;

    fn has_room(open: &Open) -> bool {
        poll_fn(|context| open.poll_room(context)).now_or_never().is_some()
    }

    #[tokio::test]
    async fn reading_waits_until_enough_is_stored() {
        let open = Arc::new(Open::new(1));
        open.add(10);
        assert!(has_room(&open));
        open.add(10);
        assert!(!has_room(&open));
        let reader = Arc::clone(&open);
        let waiting = tokio::spawn(async move { poll_fn(|context| reader.poll_room(context)).await });
        tokio::task::yield_now().await;
        open.remove(10);
        waiting.await.unwrap();
        open.add(MOST_BYTES);
        assert!(!has_room(&open), "a few large ones are too many as well");
    }
}

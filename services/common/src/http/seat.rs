//! How many connections may be open. Each sits on a seat until nobody holds it any more; when all are taken a few more stand:
//! long enough to be told so, or to ask how the service is.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many are told why they are refused; whoever comes beyond them is cut off without a word.
const STANDING: usize = 64;

/// A connection's right to be open. It stands in the extensions of each request: a handler that takes the connection over (a
/// WebSocket) keeps a clone as long as that lives, or it would not be counted any more.
#[derive(Debug, Clone)]
pub struct Seat {
    _permit: Arc<Permit>,
    /// All seats were taken: only whoever watches the service gets an answer.
    pub(super) standing: bool,
}

#[derive(Debug)]
struct Permit {
    _permit: OwnedSemaphorePermit,
}

impl Drop for Permit {
    fn drop(&mut self) {
        metrics::gauge!("http_connections").decrement(1.0);
    }
}

/// All seats of a listener.
#[derive(Debug)]
pub(super) struct Seats {
    seats: Arc<Semaphore>,
    standing: Arc<Semaphore>,
}

impl Seats {
    pub(super) fn new(count: usize) -> Self {
        Self { seats: Arc::new(Semaphore::new(count)), standing: Arc::new(Semaphore::new(STANDING)) }
    }

    /// A seat, or a place to stand, or nothing.
    pub(super) fn take(&self) -> Option<Seat> {
        let (permit, standing) = match Arc::clone(&self.seats).try_acquire_owned() {
            Ok(permit) => (permit, false),
            Err(_) => (Arc::clone(&self.standing).try_acquire_owned().ok()?, true),
        };
        metrics::gauge!("http_connections").increment(1.0);
        Some(Seat { _permit: Arc::new(Permit { _permit: permit }), standing })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_taken_as_long_as_anybody_holds_it() {
        let seats = Seats::new(1);
        let first = seats.take().expect("a seat");
        let kept = first.clone();
        drop(first);
        let second = seats.take().expect("a place to stand");
        assert!(!kept.standing && second.standing);
        let more: Vec<Seat> = std::iter::from_fn(|| seats.take()).collect();
        assert_eq!(more.len(), STANDING - 1);
        drop(kept);
        assert!(!seats.take().expect("the seat").standing);
    }
}

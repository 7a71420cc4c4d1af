//! How many readings a connection may send by now.

use std::time::Instant;

/// A connection's part of the rate.
#[derive(Debug)]
pub struct Pace {
    begun: Instant,
    per_second: f64,
    sent: u64,
}

impl Pace {
    /// This part of a rate; 0 for no limit.
    pub fn new(rate: u64, parts: usize) -> Self {
        Self { begun: Instant::now(), per_second: rate as f64 / parts.max(1) as f64, sent: 0 }
    }

    /// Whether one more may be sent now; counts it.
    pub fn take(&mut self) -> bool {
        if self.per_second > 0.0 && self.sent as f64 >= self.begun.elapsed().as_secs_f64() * self.per_second {
            return false;
        }
        self.sent += 1;
        true
    }

    /// It was not sent.
    pub fn give_back(&mut self) {
        self.sent -= 1;
    }
}

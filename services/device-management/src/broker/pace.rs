//! How many devices go into one message to the plugin.

use std::time::Duration;

/// The plugin blocks the broker while it works: nobody's message moves, and whoever is to be cut off waits. Mosquitto 2.0
/// writes its whole store at each command (13 ms for each 1,000 devices in it), 2.1 once a message: so it is measured.
const GOAL: Duration = Duration::from_millis(300);

const FIRST: f64 = 20.0;
const LARGEST: f64 = 500.0;

/// Batches that take about as long as they may.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace(f64);

impl Default for Pace {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Pace {
    /// How many devices come next.
    pub(super) fn batch(self) -> i64 {
        self.0 as i64
    }

    /// Learns how long a batch took; at most doubled at once, since one quick answer says little.
    pub(super) fn took(&mut self, devices: usize, time: Duration) {
        let fitting = devices as f64 * GOAL.as_secs_f64() / time.as_secs_f64().max(0.001);
        // A batch that was not full says nothing about larger ones.
        if fitting < self.0 || devices as f64 >= self.0.floor() {
            self.0 = fitting.clamp(1.0, (self.0 * 2.0).min(LARGEST));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_take_as_long_as_they_may() {
        let mut pace = Pace::default();
        for _ in 0..20 {
            pace.took(pace.batch() as usize, Duration::from_millis(30) * pace.batch() as u32);
        }
        assert_eq!(pace.batch(), 10);
        for _ in 0..20 {
            pace.took(pace.batch() as usize, Duration::from_micros(10) * pace.batch() as u32);
        }
        assert_eq!(pace.batch(), 500);
        pace.took(500, Duration::from_secs(600));
        assert_eq!(pace.batch(), 1);
    }

    #[test]
    fn a_single_device_does_not_change_it() {
        let mut pace = Pace::default();
        pace.took(1, Duration::from_millis(1));
        assert_eq!(pace.batch(), 20);
    }
}

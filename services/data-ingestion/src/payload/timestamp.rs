//! Timestamps: RFC 3339 text or whole numbers, whose magnitude tells their unit.

use super::{Reason, Refusal};
use std::time::Duration;

const SECOND: i64 = 1_000_000_000;

/// Which timestamps are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The oldest, in nanoseconds since 1970. A device whose clock was never set says 1970; ours begins in 2020.
    pub oldest: i64,
    /// How far ahead of ours a device's clock may be.
    pub ahead: Duration,
}

impl Default for Clock {
    fn default() -> Self {
        Self { oldest: 1_577_836_800 * SECOND, ahead: Duration::from_secs(300) }
    }
}

impl Clock {
    /// Judges a time.
    ///
    /// # Errors
    /// [`Reason::TooOld`], [`Reason::InFuture`].
    pub fn check(&self, time: i64, now: i64) -> Result<(), Refusal> {
        if time < self.oldest {
            return Err(Refusal::new(Reason::TooOld, "the timestamp is before 2020: the device's clock is not set")
                .at("/timestamp"));
        }
        let ahead = i64::try_from(self.ahead.as_nanos()).unwrap_or(i64::MAX);
        if time > now.saturating_add(ahead) {
            let text = format!("the timestamp is more than {} s in the future", self.ahead.as_secs());
            return Err(Refusal::new(Reason::InFuture, text).at("/timestamp"));
        }
        Ok(())
    }
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by magnitude: as seconds, 1e11 is the year 5138;
/// as milliseconds it is 1973, which is older than any reading.
pub fn scale(number: i64) -> Option<i64> {
    match number.unsigned_abs() {
        0..100_000_000_000 => number.checked_mul(SECOND),
        100_000_000_000..100_000_000_000_000 => number.checked_mul(1_000_000),
        100_000_000_000_000..100_000_000_000_000_000 => number.checked_mul(1_000),
        _ => Some(number),
    }
}

/// RFC 3339, with a zone or `Z`: a local time without one means nothing here.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    if text.len() > 40 {
        return None;
    }
    let time: jiff::Timestamp = text.parse().ok()?;
    i64::try_from(time.as_nanosecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(1_700_000_000)]
    #[case(1_700_000_000_000)]
    #[case(1_700_000_000_000_000)]
    #[case(1_700_000_000_000_000_000)]
    fn units_by_magnitude(#[case] number: i64) {
        assert_eq!(scale(number), Some(1_700_000_000_000_000_000));
    }

    #[rstest]
    #[case("2023-11-14T22:13:20Z", Some(1_700_000_000_000_000_000))]
    #[case("2023-11-14T23:13:20.000000001+01:00", Some(1_700_000_000_000_000_001))]
    #[case("2023-11-14T22:13:20", None)]
    #[case("yesterday", None)]
    #[case("9999-12-31T23:59:59Z", None)]
    fn rfc3339(#[case] text: &str, #[case] time: Option<i64>) {
        assert_eq!(parse_rfc3339(text), time);
    }

    #[test]
    fn a_clock_that_was_never_set_or_runs_ahead_is_not_believed() {
        let (clock, now) = (Clock::default(), 1_700_000_000 * SECOND);
        assert_eq!(clock.check(60 * SECOND, now).unwrap_err().reason, Reason::TooOld);
        assert_eq!(clock.check(now + 301 * SECOND, now).unwrap_err().reason, Reason::InFuture);
        assert!(clock.check(now + 299 * SECOND, now).is_ok());
    }
}

//! The start that a run's devices count from. It is part of every value they send, so that a run's readings can be told from
//! those of any other run of the same devices.

use crate::cli::LONGEST;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// Devices have fewer numbers than this in a run.
pub const NUMBERS: u32 = 1_000_000;

/// How far in the past late readings are.
pub const LATE: Duration = Duration::from_secs(3600);

/// How far the clock may be set while devices send.
const SET: Duration = Duration::from_secs(100);

/// How long a boot lasts, in nanoseconds. A run waits until its own begins, so that the next run has another.
const TICK: i64 = 100_000_000;

/// 2020, in nanoseconds since 1970. With [`NUMBERS`] and [`TICK`], values stay below 2^53 until 2048: a float holds them exactly.
const ORIGIN: i64 = 1_577_836_800_000_000_000;

/// A start: tenths of a second since 2020.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Boot(u64);

impl Boot {
    /// One that no earlier run had: waits until the next tenth of a second begins.
    ///
    /// # Errors
    /// The clock is before 2020.
    pub async fn begin() -> Result<Self> {
        let now = i64::try_from(jiff::Timestamp::now().as_nanosecond())?;
        let boot = Self(u64::try_from((now - ORIGIN).div_euclid(TICK) + 1)?);
        tokio::time::sleep(Duration::from_nanos(u64::try_from(boot.time() - now)?)).await;
        Ok(boot)
    }

    /// The value of a reading, by which its run and its number are known.
    pub fn value(self, seq: u32) -> u64 {
        self.0 * u64::from(NUMBERS) + u64::from(seq)
    }

    /// Of which boot and number this value is, as InfluxDB shows it.
    pub fn of_value(value: &str) -> Option<(Self, u32)> {
        let value: u64 = value.parse().ok()?;
        let seq = u32::try_from(value % u64::from(NUMBERS)).ok()?;
        Some((Self(value / u64::from(NUMBERS)), seq))
    }

    /// No reading is older, in nanoseconds since 1970.
    pub fn earliest(self) -> i64 {
        self.time().saturating_sub(nanoseconds(LATE + SET))
    }

    /// Whether a device that started then can have sent a reading of this time.
    pub fn can_have_sent(self, time: i64) -> bool {
        (self.earliest()..self.time().saturating_add(nanoseconds(LONGEST + SET))).contains(&time)
    }

    fn time(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX).saturating_mul(TICK).saturating_add(ORIGIN)
    }
}

impl fmt::Display for Boot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A duration as times are counted.
pub fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn runs_one_after_the_other_have_boots_of_their_own() {
        let (first, second) = (Boot::begin().await.unwrap(), Boot::begin().await.unwrap());
        assert!(first.0 < second.0, "{first} {second}");
        assert_ne!(first.value(NUMBERS - 1), second.value(0));
    }

    #[test]
    fn a_value_is_exact_as_a_float_until_2048() {
        let boot = Boot(8_900_000_000);
        assert!(boot.time() > 2_467_000_000_000_000_000, "not 2048 yet");
        let value = boot.value(NUMBERS - 1);
        assert!(value < 1 << 53);
        assert_eq!(Boot::of_value(&(value as f64).to_string()), Some((boot, NUMBERS - 1)));
    }

    #[test]
    fn what_no_device_sends_is_of_no_boot() {
        for value in ["", "1.5", "-1", "NaN", "2e15", "99999999999999999999"] {
            assert_eq!(Boot::of_value(value), None, "{value}");
        }
    }

    #[test]
    fn a_boot_knows_which_times_its_readings_can_have() {
        let boot = Boot(2_170_000_000);
        let second = 1_000_000_000;
        assert!(boot.can_have_sent(boot.time()));
        assert!(boot.can_have_sent(boot.time() - 3_600 * second));
        assert!(!boot.can_have_sent(boot.time() - 3_701 * second));
        assert!(boot.can_have_sent(boot.time() + 604_800 * second));
        assert!(!boot.can_have_sent(boot.time() + 604_901 * second));
        // A small value, as of devices that are not simulated.
        assert!(!Boot::of_value("7").unwrap().0.can_have_sent(boot.time()));
        assert!(!Boot(u64::MAX).can_have_sent(boot.time()));
    }
}

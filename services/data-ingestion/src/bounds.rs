//! Bounds of variables that have a unit; those of plain numbers are `service::config`'s.

use service::config::{Bytes, Environment, Invalid, Setting};
use std::time::Duration;

/// An amount that was read, if it is from `least` to `most`, both as people write them.
///
/// # Errors
/// It is not; noted in `environment`.
pub fn within(
    environment: &mut Environment,
    variable: &str,
    amount: Result<Bytes, Invalid>,
    (least, most): (&str, &str),
) -> Result<Bytes, Invalid> {
    let amount = amount?;
    let bound = |text| Bytes::parse(text).expect("a test reads each variable");
    if (bound(least)..=bound(most)).contains(&amount) {
        return Ok(amount);
    }
    Err(environment.mistake(variable, format!("is {} bytes, outside {least} to {most}", amount.0), None))
}

/// A time that was read, if it is not longer than `longest`.
///
/// # Errors
/// It is; noted in `environment`.
pub fn at_most(
    environment: &mut Environment,
    variable: &str,
    time: Result<Duration, Invalid>,
    longest: Duration,
) -> Result<Duration, Invalid> {
    let time = time?;
    if time <= longest {
        return Ok(time);
    }
    Err(environment.mistake(variable, format!("is {time:?}, longer than {longest:?}"), None))
}

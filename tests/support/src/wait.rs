//! The only wait in tests.

use std::fmt::{Debug, Display};
use std::time::{Duration, Instant};

/// How often the check is made.
const INTERVAL: Duration = Duration::from_millis(20);

/// What a check may return: `bool`, `Option`, or `Result` whose error says what the state is.
pub trait Check {
    /// What is handed on when the check succeeds.
    type Value;

    /// The value, or the state that was seen instead.
    fn outcome(self) -> Result<Self::Value, String>;
}

impl Check for bool {
    type Value = ();

    fn outcome(self) -> Result<(), String> {
        self.then_some(()).ok_or_else(|| "no".into())
    }
}

impl<T> Check for Option<T> {
    type Value = T;

    fn outcome(self) -> Result<T, String> {
        self.ok_or_else(|| "nothing yet".into())
    }
}

impl<T, E: Display> Check for Result<T, E> {
    type Value = T;

    fn outcome(self) -> Result<T, String> {
        self.map_err(|state| state.to_string())
    }
}

/// Waits until `check` succeeds and returns its value.
///
/// # Panics
/// When `deadline` has passed; the message has `what` and the last state.
#[track_caller]
pub fn wait_until<C: Check>(what: impl Debug, deadline: Duration, mut check: impl FnMut() -> C) -> C::Value {
    let end = Instant::now() + deadline;
    loop {
        match check().outcome() {
            Ok(value) => return value,
            Err(state) if Instant::now() >= end => {
                panic!("{what:?} did not come true within {deadline:?}; the last state was: {state}")
            }
            Err(_) => {}
        }
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        std::thread::sleep(INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_returns_as_soon_as_the_check_succeeds() {
        let mut calls = 0;
        let value = wait_until("the third call", Duration::from_secs(5), || {
            calls += 1;
            (calls == 3).then_some(calls)
        });
        assert_eq!(value, 3);
    }

    #[test]
    #[should_panic(expected = "the last state was: 7 of 8")]
    fn it_says_what_it_saw_last() {
        wait_until("eight", Duration::from_millis(1), || Err::<(), _>("7 of 8"));
    }
}

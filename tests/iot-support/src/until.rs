//! Waiting for what only asking can tell.

use std::time::{Duration, Instant};
use support::Check;

/// Asks again and again until `check` gives its value.
///
/// # Panics
/// When it does not within `deadline`: with the last state, and with what `tell` knows of the reason.
pub async fn until<C: Check, F: Future<Output = C>>(
    what: &str,
    deadline: Duration,
    tell: impl Fn() -> String,
    mut check: impl FnMut() -> F,
) -> C::Value {
    let end = Instant::now() + deadline;
    loop {
        match check().await.outcome() {
            Ok(value) => return value,
            Err(state) => assert!(Instant::now() < end, "not within {deadline:?}: {what}; {state}\n{}", tell()),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

//! Waiting for what only asking can tell.

use std::time::{Duration, Instant};

/// Asks again and again until `check` holds.
///
/// # Panics
/// When it does not within a minute; `tell` says what is known of the reason.
pub async fn until<F: Future<Output = bool>>(what: &str, tell: impl Fn() -> String, check: impl Fn() -> F) {
    let begun = Instant::now();
    while !check().await {
        assert!(begun.elapsed() < Duration::from_secs(60), "not within a minute: {what}\n{}", tell());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

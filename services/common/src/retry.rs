//! Trying again: exponential back-off with jitter, logged, ended by the shutdown.

use crate::context::Shutdown;
use backon::{BackoffBuilder, ExponentialBuilder};
use std::fmt::Display;
use std::time::Duration;

/// How long to wait between attempts.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    first: Duration,
    longest: Duration,
    attempts: Option<usize>,
}

impl Default for Retry {
    /// From 100 ms to 10 s, without end.
    fn default() -> Self {
        Self { first: Duration::from_millis(100), longest: Duration::from_secs(10), attempts: None }
    }
}

impl Retry {
    /// The first wait and the longest one; each is doubled and then spread by chance.
    pub fn between(first: Duration, longest: Duration) -> Self {
        Self { first, longest, attempts: None }
    }

    /// Ends after so many attempts.
    pub fn attempts(self, attempts: usize) -> Self {
        Self { attempts: Some(attempts), ..self }
    }

    /// The waits, for loops that keep their own count.
    pub fn waits(self) -> impl Iterator<Item = Duration> + Send {
        let builder = ExponentialBuilder::default()
            .with_min_delay(self.first)
            .with_max_delay(self.longest)
            .with_factor(2.0)
            .with_jitter();
        match self.attempts {
            Some(attempts) => builder.with_max_times(attempts.saturating_sub(1)).build(),
            None => builder.without_max_times().build(),
        }
    }

    /// Repeats `attempt` until it succeeds. `None`: the service shuts down.
    ///
    /// # Errors
    /// The last error, when the attempts are used up.
    pub async fn run<T, E, F>(
        self,
        what: &str,
        shutdown: &Shutdown,
        mut attempt: impl FnMut() -> F,
    ) -> Result<Option<T>, E>
    where
        E: Display,
        F: Future<Output = Result<T, E>>,
    {
        let mut waits = self.waits();
        loop {
            let error = tokio::select! {
                biased;
                () = shutdown.wait() => return Ok(None),
                result = attempt() => match result {
                    Ok(value) => return Ok(Some(value)),
                    Err(error) => error,
                },
            };
            let Some(wait) = waits.next() else { return Err(error) };
            tracing::warn!(what, %error, wait_seconds = wait.as_secs_f64(), "trying again");
            tokio::select! {
                () = shutdown.wait() => return Ok(None),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn attempts_end() {
        let shutdown = Shutdown::default();
        let mut count = 0;
        let result: Result<Option<()>, String> = Retry::default()
            .attempts(4)
            .run("a test", &shutdown, || {
                count += 1;
                async { Err("no".to_owned()) }
            })
            .await;
        assert_eq!((result, count), (Err("no".to_owned()), 4));
    }

    #[tokio::test(start_paused = true)]
    async fn the_shutdown_ends_it() {
        let shutdown = Shutdown::default();
        let stop = shutdown.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(60)).await;
            stop.begin();
        });
        let result: Result<Option<()>, String> =
            Retry::default().run("a test", &shutdown, || async { Err("no".to_owned()) }).await;
        assert_eq!(result, Ok(None));
    }

    #[test]
    fn waits_grow_to_the_longest() {
        let waits: Vec<Duration> =
            Retry::between(Duration::from_millis(10), Duration::from_secs(1)).waits().take(20).collect();
        assert!(waits[0] < Duration::from_millis(40));
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(2)));
        assert!(waits[19] >= Duration::from_secs(1));
    }
}

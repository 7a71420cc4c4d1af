//! What a running service has at hand: the shutdown, the readiness checks, the background tasks.

use crate::readiness::Readiness;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The signal that the service ends. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    token: CancellationToken,
}

impl Shutdown {
    /// Begins the shutdown.
    pub fn begin(&self) {
        self.token.cancel();
    }

    /// Returns when the shutdown has begun.
    pub async fn wait(&self) {
        self.token.cancelled().await;
    }

    /// Whether it has begun.
    pub fn begun(&self) -> bool {
        self.token.is_cancelled()
    }
}

/// What a running service has at hand. Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Requests are still served while it has begun; background tasks end by it.
    pub shutdown: Shutdown,
    /// What `/ready` asks.
    pub readiness: Readiness,
    pub(crate) tasks: TaskTracker,
    pub(crate) failed: Arc<AtomicBool>,
}

impl Context {
    /// Runs a background task that the shutdown waits for. It should end when the shutdown begins; when it fails, panics or
    /// ends before, the whole service ends with exit code 1: what restarts it knows better than a half-working process.
    pub fn spawn<E: Display + Send + 'static>(
        &self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let context = self.clone();
        let inner = self.tasks.spawn(task);
        self.tasks.spawn(async move {
            let wrong = match inner.await {
                Ok(Ok(())) if context.shutdown.begun() => return,
                Ok(Ok(())) => "ended by itself".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(panic) => panic.to_string(),
            };
            tracing::error!(task = name, error = wrong, "a task failed, the service ends");
            context.failed.store(true, Ordering::Relaxed);
            context.shutdown.begin();
        });
    }

    /// Whether a task failed.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Waits for all background tasks; call [`Shutdown::begin`] before.
    pub async fn drained(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

//! Readiness: named checks of what a service depends on, each with a deadline of its own.

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use utoipa::ToSchema;

/// Probes come from several sides; the dependencies are not asked more often than this.
const FRESH: Duration = Duration::from_millis(500);

type Ask = dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync;

struct Check {
    name: &'static str,
    timeout: Duration,
    ask: Box<Ask>,
}

/// The checks of a service. Clones share them.
#[derive(Clone, Default)]
pub struct Readiness {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    checks: Mutex<Vec<Arc<Check>>>,
    draining: AtomicBool,
    last: tokio::sync::Mutex<Option<(Instant, Report)>>,
}

/// Whether a service can work, and why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// `ready`, `waiting` for a dependency, or `draining` because it shuts down.
    #[schema(pattern = "^(ready|waiting|draining)$")]
    pub status: String,
    /// Each dependency.
    pub dependencies: Vec<Dependency>,
}

/// One dependency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Dependency {
    /// Which.
    pub name: String,
    /// Whether it can be used.
    pub up: bool,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Readiness {
    /// Adds a check. An answer later than `timeout` counts as none.
    pub fn check<F, R>(&self, name: &'static str, timeout: Duration, ask: F)
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        let check = Check { name, timeout, ask: Box::new(move || ask().boxed()) };
        self.inner.checks.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(check));
    }

    /// From now on not ready: the service shuts down.
    pub fn drain(&self) {
        self.inner.draining.store(true, Ordering::Relaxed);
    }

    /// Asks all dependencies at once; a report younger than half a second is given again.
    pub async fn report(&self) -> Report {
        let mut last = self.inner.last.lock().await;
        let mut report = match &*last {
            Some((when, report)) if when.elapsed() < FRESH => report.clone(),
            _ => {
                let report = self.ask().await;
                *last = Some((Instant::now(), report.clone()));
                report
            }
        };
        if self.inner.draining.load(Ordering::Relaxed) {
            "draining".clone_into(&mut report.status);
        }
        report
    }

    async fn ask(&self) -> Report {
        let checks: Vec<Arc<Check>> = self.inner.checks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let dependencies: Vec<Dependency> = join_all(checks.iter().map(|check| state(check))).await;
        let status = if dependencies.iter().all(|state| state.up) { "ready" } else { "waiting" };
        Report { status: status.to_owned(), dependencies }
    }
}

async fn state(check: &Check) -> Dependency {
    let answer = tokio::time::timeout(check.timeout, (check.ask)()).await;
    let error = match answer {
        Ok(answer) => answer.err(),
        Err(_) => Some(format!("no answer within {:?}", check.timeout)),
    };
    metrics::gauge!("dependency_up", "dependency" => check.name).set(if error.is_none() { 1.0 } else { 0.0 });
    Dependency { name: check.name.to_owned(), up: error.is_none(), error }
}

impl std::fmt::Debug for Readiness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Readiness")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silent_dependency_is_named() {
        let readiness = Readiness::default();
        readiness.check("redis", Duration::from_secs(1), || async { Ok(()) });
        readiness.check("postgres", Duration::from_secs(1), std::future::pending);
        let report = readiness.report().await;
        assert_eq!(report.status, "waiting");
        assert_eq!(report.dependencies[0], Dependency { name: "redis".into(), up: true, error: None });
        assert_eq!(report.dependencies[1].error.as_deref(), Some("no answer within 1s"));
        readiness.drain();
        assert_eq!(readiness.report().await.status, "draining");
    }
}

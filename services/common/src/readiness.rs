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
/// The same while one is missing: who waits for a service that has just started learns at once that it is ready.
const FRESH_WAITING: Duration = Duration::from_millis(20);

/// How long something is asked that is not needed any more.
const BRIEFLY: Duration = Duration::from_millis(300);

type Ask = dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync;

struct Check {
    name: &'static str,
    timeout: Duration,
    ask: Box<Ask>,
    /// Of what is needed only to begin: whether it was ever up.
    reached: Option<AtomicBool>,
}

impl Check {
    /// Whether the service can work with this answer.
    fn suffices(&self, up: bool) -> bool {
        up || self.reached.as_ref().is_some_and(|reached| reached.load(Ordering::Relaxed))
    }

    /// An answer on which nothing depends is not waited for as long: whoever asks us has little patience.
    fn patience(&self) -> Duration {
        if self.suffices(false) { self.timeout.min(BRIEFLY) } else { self.timeout }
    }
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
        self.add(Check { name, timeout, ask: Box::new(move || ask().boxed()), reached: None });
    }

    /// The same of something that is needed to begin, but not to go on: when it was up once, the service stays ready without
    /// it, and the report still tells how it is.
    pub fn check_at_first<F, R>(&self, name: &'static str, timeout: Duration, ask: F)
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        let reached = Some(AtomicBool::new(false));
        self.add(Check { name, timeout, ask: Box::new(move || ask().boxed()), reached });
    }

    fn add(&self, check: Check) {
        self.inner.checks.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(check));
    }

    /// From now on not ready: the service shuts down.
    pub fn drain(&self) {
        self.inner.draining.store(true, Ordering::Relaxed);
    }

    /// Asks all dependencies at once; a report younger than half a second is given again, if all was well.
    pub async fn report(&self) -> Report {
        let mut last = self.inner.last.lock().await;
        let mut report = match &*last {
            Some((when, report)) if when.elapsed() < fresh(report) => report.clone(),
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
        let suffice = checks.iter().zip(&dependencies).all(|(check, state)| check.suffices(state.up));
        let status = if suffice { "ready" } else { "waiting" };
        Report { status: status.to_owned(), dependencies }
    }
}

fn fresh(report: &Report) -> Duration {
    if report.status == "ready" { FRESH } else { FRESH_WAITING }
}

async fn state(check: &Check) -> Dependency {
    let patience = check.patience();
    let answer = tokio::time::timeout(patience, (check.ask)()).await;
    let error = match answer {
        Ok(answer) => answer.err(),
        Err(_) => Some(format!("no answer within {patience:?}")),
    };
    if let (None, Some(reached)) = (&error, &check.reached) {
        reached.store(true, Ordering::Relaxed);
    }
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

    #[tokio::test]
    async fn what_is_needed_only_to_begin_may_go_away_later() {
        let (readiness, up) = (Readiness::default(), Arc::new(AtomicBool::new(false)));
        let now = Arc::clone(&up);
        readiness.check_at_first("postgres", Duration::from_secs(1), move || {
            let up = now.load(Ordering::Relaxed);
            async move { if up { Ok(()) } else { Err("away".to_owned()) } }
        });
        for (is_up, status) in [(false, "waiting"), (true, "ready"), (false, "ready")] {
            up.store(is_up, Ordering::Relaxed);
            let report = readiness.ask().await;
            assert_eq!((report.status.as_str(), report.dependencies[0].up), (status, is_up));
        }
    }
}

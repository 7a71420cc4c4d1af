//! Following objects of the cluster: each controller keeps the current objects of some kinds in memory, and works out
//! from all of them what has to be done whenever one changes. That is simpler than reacting to single events, and what
//! was missed while the API server was away is made up for by itself.

use futures::StreamExt;
use kube::runtime::reflector::{self, Store};
use kube::runtime::utils::Backoff;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Soon enough to be there when a restarted API server is.
const RETRY: Duration = Duration::from_millis(300);

/// Changes come in bursts (a chart's objects): a burst is worked off once.
const SETTLE: Duration = Duration::from_millis(20);

/// kube's default grows to 30 s, for servers that others share.
struct Constant;

impl Iterator for Constant {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        Some(RETRY)
    }
}

impl Backoff for Constant {
    fn reset(&mut self) {}
}

/// Keeps all objects of a kind in the store that is returned, and tells `changed` of every change.
pub(super) fn follow<K>(api: Api<K>, changed: &Arc<Notify>, tasks: &mut JoinSet<()>) -> Store<K>
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    K::DynamicType: Default + Clone + Eq + Hash + Unpin,
{
    let (store, writer) = reflector::store();
    let changed = Arc::clone(changed);
    tasks.spawn(async move {
        let stream = reflector::reflector(writer, watcher(api, watcher::Config::default())).backoff(Constant);
        futures::pin_mut!(stream);
        while let Some(event) = stream.next().await {
            match event {
                Ok(_) => changed.notify_one(),
                Err(error) => tracing::debug!(%error, kind = std::any::type_name::<K>(), "watching again"),
            }
        }
    });
    store
}

/// A controller: brings the cluster to what follows from its stores.
pub(super) trait Reconcile: Send {
    /// One pass.
    fn work(&mut self) -> impl Future<Output = kube::Result<()>> + Send;
}

/// Lets a controller work after each burst of changes, and again soon when it fails.
pub(super) async fn on_change(changed: Arc<Notify>, mut controller: impl Reconcile) {
    loop {
        changed.notified().await;
        tokio::time::sleep(SETTLE).await;
        if let Err(error) = controller.work().await {
            tracing::warn!(%error, "trying again");
            tokio::time::sleep(RETRY).await;
            changed.notify_one();
        }
    }
}

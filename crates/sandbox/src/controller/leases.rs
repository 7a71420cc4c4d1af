//! The leases by which the node controller knows that the simulated nodes live: renewed for as long as kwok works, as
//! kubelets renew theirs (<https://kubernetes.io/docs/concepts/architecture/leases/#node-heart-beats>).
//!
//! kwok can renew them itself, but then (0.8) it passes over the pods of a node while its cache does not show the lease that
//! it has just made, and does not look at them again: after a restart they stayed as they were, about once in 20 times.

use crate::directory::Directory;
use crate::health::Health;
use crate::nodes;
use crate::state::State;
use crate::{Component, Error, api};
use futures::future::try_join_all;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Node;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::task::JoinSet;

/// A kubelet's `nodeLeaseDurationSeconds`.
const SECONDS: u32 = 40;

/// A kubelet renews after a quarter of the duration.
const RENEW: Duration = Duration::from_secs(10);

/// After a failure, and while kwok is away.
const RETRY: Duration = Duration::from_secs(1);

/// Who writes the leases, in `managedFields`.
const MANAGER: &str = "cluster-sandbox";

/// Starts the controller.
pub(super) fn start(client: &Client, directory: &Directory, tasks: &mut JoinSet<()>) {
    let (client, directory) = (client.clone(), directory.clone());
    tasks.spawn(async move {
        let mut last = Ok(());
        loop {
            let renewed = renew(&client, &directory).await;
            // Once, not each second.
            if let Err(reason) = &renewed
                && renewed != last
            {
                tracing::warn!(%reason, "leases are not renewed");
            }
            last = renewed;
            tokio::time::sleep(if last.is_ok() { RENEW } else { RETRY }).await;
        }
    });
}

/// One pass over all nodes; `Err` says why there was none, or not to the end.
async fn renew(client: &Client, directory: &Directory) -> Result<(), String> {
    kwok_works(directory).await?;
    let leases: Api<Lease> = Api::namespaced(client.clone(), "kube-node-lease");
    let parameters = PatchParams::apply(MANAGER).force();
    let now = jiff::Timestamp::now();
    let nodes = nodes::simulated(client).await.map_err(|error| error.to_string())?;
    let renewals = nodes.iter().map(|node| {
        let (name, lease) = (node.name_any(), Patch::Apply(lease(node, now)));
        let (leases, parameters) = (&leases, &parameters);
        async move { leases.patch(&name, parameters, &lease).await }
    });
    try_join_all(renewals).await.map(drop).map_err(|error| api::said(&error))
}

/// Asked anew each time: `up` may have given it another port.
async fn kwok_works(directory: &Directory) -> Result<(), String> {
    let health = async {
        let state = State::load(directory)?.ok_or(Error::Down)?;
        Health::of(Component::Kwok, directory, &state).await
    };
    health.await.map_err(|error| error.to_string())?.check().await
}

/// Deleted with its node.
fn lease(node: &Node, now: jiff::Timestamp) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": node.name_any(), "ownerReferences": node.owner_ref(&()).into_iter().collect::<Vec<_>>()},
        "spec": {
            "holderIdentity": node.name_any(),
            "leaseDurationSeconds": SECONDS,
            "renewTime": now.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
        },
    })
}

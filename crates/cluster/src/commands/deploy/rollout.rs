//! Waiting until what the release runs is up.

use super::destination::Destination;
use crate::exit::{Failure, Result, boxed};
use crate::output::Output;
use catalog::Service;
use diagnostic::Exit;
use kubernetes::{Release, Rollout};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Pods are unschedulable for moments while volumes are made and old pods leave; what lasts longer does not heal by itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// The release that the playbook left.
pub(super) async fn installed(destination: &Destination, service: &Service) -> Result<Release> {
    let release =
        destination.connection.cluster.release(&service.namespace, &service.release_name()).await.map_err(boxed)?;
    release.ok_or_else(|| {
        let message = format!("the playbook ended well, but there is no release `{}`", service.release_name());
        Failure::new(Exit::Failed, message).into()
    })
}

/// Waits for its workloads.
pub(super) async fn wait(
    destination: &Destination,
    release: &Release,
    timeout: Duration,
    cancel: &CancellationToken,
    output: &Output,
) -> Result<()> {
    let rollout = Rollout { workloads: release.workloads().map_err(boxed)?, timeout, patience: PATIENCE.min(timeout) };
    let tell = |event: kubernetes::Event| output.event(event);
    kubernetes::wait_for_rollout(&destination.connection.cluster, &rollout, cancel, &tell).await.map_err(boxed)
}

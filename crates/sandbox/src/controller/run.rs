//! The controller process.

use super::{ingress, leases, provisioner, service_lb};
use crate::directory::Directory;
use crate::{Component, Error, api};
use camino::Utf8Path;
use std::time::Duration;
use tokio::task::JoinSet;

/// How soon the process ends after the sandbox's files are gone.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The arguments with which `up` starts our executable as the controller.
pub(crate) fn arguments(directory: &Utf8Path) -> Vec<String> {
    ["sandbox", "controller", "--directory", directory.as_str()].map(str::to_owned).to_vec()
}

/// Runs the controllers until the sandbox's directory is gone or the process is ended. `directory` is the sandbox's own
/// (`<project>/.cluster/sandbox`). An API server that is away is waited for.
pub async fn run(directory: &Utf8Path) -> Result<(), Error> {
    let Some(directory) = Directory::from_path(directory) else {
        return Err(Error::Down);
    };
    // Leaves the terminal's session, so that closing it does not end us. Fails when we lead a session already.
    let _ = rustix::process::setsid();
    let client = api::client(&directory.component_kubeconfig(Component::Controller)).await?;
    let mut tasks = JoinSet::new();
    provisioner::start(&client, &mut tasks);
    service_lb::start(&client, &mut tasks);
    ingress::start(&client, &mut tasks);
    leases::start(&client, &directory, &mut tasks);
    tracing::info!(directory = %directory.path(), "controllers started");
    while directory.state().exists() {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    tracing::info!("the sandbox is gone");
    tasks.shutdown().await;
    Ok(())
}

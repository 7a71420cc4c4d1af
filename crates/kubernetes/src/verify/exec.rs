//! A command in a container.

use super::target::Target;
use crate::Cluster;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::AttachParams;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};

/// A check that takes longer hangs.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(15);

/// What is kept of the command's output for a message.
const KEPT_BYTES: u64 = 4096;

/// Whether the command ends with 0; else what it said.
pub(super) async fn ask(cluster: &Cluster, target: &Target, command: &[String]) -> Result<String, String> {
    let ended = tokio::time::timeout(COMMAND_TIMEOUT, run(cluster, target, command)).await;
    ended.map_err(|_| format!("not ended within {} s", COMMAND_TIMEOUT.as_secs()))?
}

async fn run(cluster: &Cluster, target: &Target, command: &[String]) -> Result<String, String> {
    let (namespace, name) = target.address();
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), &namespace);
    let parameters = AttachParams::default().stdout(true).stderr(true);
    let attached = api.exec(&name, command.to_vec(), &parameters).await;
    let mut process = attached.map_err(|error| error.to_string())?;
    let (stdout, stderr) = (process.stdout(), process.stderr());
    let status = process.take_status().ok_or("exec gave no status")?;
    let (_, said, status) = tokio::join!(beginning(stdout), beginning(stderr), status);
    process.abort();
    match status {
        Some(status) if status.status.as_deref() == Some("Success") => Ok("ended with 0".to_owned()),
        Some(status) => Err(format!("{} {}", status.message.unwrap_or_default(), said.trim()).trim().to_owned()),
        None => Err("the connection was lost".to_owned()),
    }
}

/// The first bytes of a stream; the rest is read and dropped, so that the command does not block on a full pipe.
async fn beginning(stream: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stream) = stream else { return String::new() };
    let mut kept = Vec::new();
    let _partial = (&mut stream).take(KEPT_BYTES).read_to_end(&mut kept).await;
    let _rest = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&kept).into_owned()
}

//! A connection through a port-forward.

use super::target::Target;
use crate::Cluster;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use std::time::Duration;
use tokio::io::AsyncReadExt;

/// The kubelet reports a refused connection on the error channel at once; a port that says nothing for this long is open.
const SILENCE: Duration = Duration::from_secs(1);

/// Whether the port takes a connection.
pub(super) async fn ask(cluster: &Cluster, target: &Target) -> Result<String, String> {
    let (namespace, name) = target.address();
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), &namespace);
    let mut forward = api.portforward(&name, &[target.port]).await.map_err(|error| error.to_string())?;
    let mut stream = forward.take_stream(target.port).ok_or("the port-forward gave no stream")?;
    let refusal = forward.take_error(target.port).ok_or("the port-forward gave no error channel")?;
    let mut byte = [0];
    let verdict = tokio::select! {
        Some(refused) = refusal => Err(refused),
        read = stream.read(&mut byte) => match read {
            Ok(0) => Err("the connection was closed at once".to_owned()),
            Ok(_) => Ok("connected".to_owned()),
            Err(error) => Err(error.to_string()),
        },
        () = tokio::time::sleep(SILENCE) => Ok("connected".to_owned()),
    };
    forward.abort();
    verdict
}

//! A GET through a port-forward.

use super::target::Target;
use crate::Cluster;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use std::time::Duration;

/// A health endpoint that takes longer is not healthy.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// What was answered, when the status is the expected one; else what went wrong.
pub(super) async fn ask(cluster: &Cluster, target: &Target, path: &str, expected: u16) -> Result<String, String> {
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, get(cluster, target, path)).await;
    let status = answer.map_err(|_| format!("no answer within {} s", ANSWER_TIMEOUT.as_secs()))??;
    if status == expected { Ok(format!("HTTP {status}")) } else { Err(format!("HTTP {status} instead of {expected}")) }
}

async fn get(cluster: &Cluster, target: &Target, path: &str) -> Result<u16, String> {
    let (namespace, name) = target.address();
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), &namespace);
    let mut forward = api.portforward(&name, &[target.port]).await.map_err(|error| error.to_string())?;
    let stream = forward.take_stream(target.port).ok_or("the port-forward gave no stream")?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let driver = tokio::spawn(connection);
    let request = hyper::Request::get(path).header("host", "localhost").body(Empty::<Bytes>::new());
    let response = sender.send_request(request.map_err(|error| error.to_string())?).await;
    let status = match response {
        Ok(response) => {
            let status = response.status().as_u16();
            // Read to the end, so that the server sees a whole exchange and logs no broken pipe.
            let _whole = response.into_body().collect().await;
            Ok(status)
        }
        Err(error) => Err(error.to_string()),
    };
    driver.abort();
    forward.abort();
    status
}

//! Clients of the sandbox's listeners.

use crate::{Error, certificates, directory::Directory};
use camino::Utf8Path;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use std::time::Duration;

/// Everything is on this machine: an answer takes milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a health check may take before the component counts as not ready.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long the API server may take for a few requests; one whose etcd hangs never answers.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// A client from a kubeconfig file.
pub(crate) async fn client(kubeconfig: &Utf8Path) -> Result<Client, Error> {
    let read = Kubeconfig::read_from(kubeconfig.as_std_path());
    from_kubeconfig(kubeconfig, read.map_err(unusable(kubeconfig))?).await
}

/// A client for a listener that is not the API server, for its health.
pub(crate) async fn prober(directory: &Directory, port: u16) -> Result<Client, Error> {
    let path = directory.certificates();
    let text = certificates::kubeconfig(directory, port, "admin")?;
    from_kubeconfig(&path, Kubeconfig::from_yaml(&text).map_err(unusable(&path))?).await
}

async fn from_kubeconfig(path: &Utf8Path, kubeconfig: Kubeconfig) -> Result<Client, Error> {
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(unusable(path))?;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.default_retry = false;
    Client::try_from(config).map_err(Error::api("setting up a client"))
}

fn unusable(path: &Utf8Path) -> impl FnOnce(kube::config::KubeconfigError) -> Error {
    let path = path.to_owned();
    move |source| Error::Kubeconfig { path, source: Box::new(source) }
}

/// Asks for the health at a path such as `/readyz`: the answer's text when it is good, else why it is not.
pub(crate) async fn probe(client: &Client, path: &str) -> Result<String, String> {
    let request = http_get(path)?;
    match tokio::time::timeout(PROBE_TIMEOUT, client.request_text(request)).await {
        Err(_) => Err(format!("`{path}` takes longer than {} s", PROBE_TIMEOUT.as_secs())),
        Ok(Ok(text)) => Ok(text),
        Ok(Err(kube::Error::Api(status))) => Err(unready_checks(&status.message, path)),
        Ok(Err(error)) => Err(said(&error)),
    }
}

fn http_get(path: &str) -> Result<http::Request<Vec<u8>>, String> {
    http::Request::get(path).body(Vec::new()).map_err(|error| error.to_string())
}

/// The failed checks of `/readyz`'s answer (`[-]poststarthook/rbac/bootstrap-roles failed: reason withheld`).
fn unready_checks(answer: &str, path: &str) -> String {
    let failed: Vec<_> = answer
        .lines()
        .filter_map(|line| line.trim_matches('"').strip_prefix("[-]"))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    if failed.is_empty() { format!("`{path}` says no") } else { format!("not yet: {}", failed.join(", ")) }
}

/// The API server's own words, else the cause at the end of the chain: `Connection refused` rather than `client error (Connect)`.
pub(crate) fn said(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error {
        return status.message.clone();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    match cause.downcast_ref::<std::io::Error>() {
        // The client's own words are `deadline has elapsed`.
        Some(error) if error.kind() == std::io::ErrorKind::TimedOut => "no answer".to_owned(),
        _ => cause.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::Status;

    #[test]
    fn an_answer_is_quoted_without_its_fields() {
        let status = Status { code: 504, reason: "Timeout".to_owned(), ..Status::failure("etcd is away", "Timeout") };
        assert_eq!(said(&kube::Error::Api(Box::new(status))), "etcd is away");
    }

    #[test]
    fn failed_checks_are_named() {
        let answer =
            "[+]ping ok\n[-]etcd failed: reason withheld\n[-]poststarthook/rbac failed: x\nreadyz check failed";
        assert_eq!(unready_checks(answer, "/readyz"), "not yet: etcd, poststarthook/rbac");
        assert_eq!(unready_checks("", "/readyz"), "`/readyz` says no");
    }
}

//! etcd: one member, which never waits for the disk.

use crate::directory::Directory;
use crate::ports::Ports;

/// The command line (etcd 3.6).
pub(crate) fn arguments(directory: &Directory, ports: &Ports) -> Vec<String> {
    let certificate = |file: &str| directory.certificate(file);
    let (client, peer) = (url(ports.etcd), url(ports.etcd_peer));
    vec![
        "--name=sandbox".to_owned(),
        format!("--data-dir={}", directory.etcd_data()),
        // A sandbox need not survive a power cut, and waiting for the disk costs seconds at start. A killed etcd loses
        // nothing: what it wrote is in the kernel's cache.
        "--unsafe-no-fsync=true".to_owned(),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=sandbox={peer}"),
        format!("--cert-file={}", certificate("etcd.crt")),
        format!("--key-file={}", certificate("etcd.key")),
        format!("--trusted-ca-file={}", certificate("ca.crt")),
        "--client-cert-auth=true".to_owned(),
        format!("--peer-cert-file={}", certificate("etcd.crt")),
        format!("--peer-key-file={}", certificate("etcd.key")),
        format!("--peer-trusted-ca-file={}", certificate("ca.crt")),
        "--peer-client-cert-auth=true".to_owned(),
        "--log-level=error".to_owned(),
    ]
}

/// Where it listens.
pub(crate) fn url(port: u16) -> String {
    format!("https://127.0.0.1:{port}")
}

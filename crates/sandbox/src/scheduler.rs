//! kube-scheduler.

use crate::Component;
use crate::directory::Directory;
use crate::ports::Ports;

/// The command line (Kubernetes 1.35).
pub(crate) fn arguments(directory: &Directory, ports: &Ports) -> Vec<String> {
    let certificate = |file: &str| directory.certificate(file);
    vec![
        format!("--kubeconfig={}", directory.component_kubeconfig(Component::KubeScheduler)),
        "--leader-elect=false".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", ports.kube_scheduler),
        format!("--tls-cert-file={}", certificate("kube-scheduler.crt")),
        format!("--tls-private-key-file={}", certificate("kube-scheduler.key")),
        "--kube-api-qps=300".to_owned(),
        "--kube-api-burst=600".to_owned(),
        "--profiling=false".to_owned(),
    ]
}

//! kube-controller-manager.

use crate::Component;
use crate::directory::Directory;
use crate::ports::Ports;

/// The command line (Kubernetes 1.35).
pub(crate) fn arguments(directory: &Directory, ports: &Ports) -> Vec<String> {
    let certificate = |file: &str| directory.certificate(file);
    vec![
        format!("--kubeconfig={}", directory.component_kubeconfig(Component::KubeControllerManager)),
        // There is one: waiting for a lease of a killed predecessor would cost 15 s.
        "--leader-elect=false".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", ports.kube_controller_manager),
        format!("--tls-cert-file={}", certificate("kube-controller-manager.crt")),
        format!("--tls-private-key-file={}", certificate("kube-controller-manager.key")),
        format!("--service-account-private-key-file={}", certificate("service-account.key")),
        format!("--root-ca-file={}", certificate("ca.crt")),
        format!("--cluster-signing-cert-file={}", certificate("ca.crt")),
        format!("--cluster-signing-key-file={}", certificate("ca.key")),
        // The default of 20 requests a second is for clusters that others share.
        "--kube-api-qps=300".to_owned(),
        "--kube-api-burst=600".to_owned(),
        "--profiling=false".to_owned(),
    ]
}

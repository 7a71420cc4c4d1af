//! kube-apiserver, with the admission plugins that are on by default (ResourceQuota, LimitRanger, PodSecurity,
//! DefaultStorageClass, StorageObjectInUseProtection and the rest) and RBAC, but without webhooks.

use crate::directory::Directory;
use crate::etcd;
use crate::nodes::FIRST_ADDRESS;
use crate::ports::Ports;

/// K3s' range for Services, so that a chart that assumes it works here as there.
pub(crate) const SERVICE_RANGE: &str = "10.43.0.0/16";

/// The command line (Kubernetes 1.35).
pub(crate) fn arguments(directory: &Directory, ports: &Ports) -> Vec<String> {
    let certificate = |file: &str| directory.certificate(file);
    vec![
        format!("--etcd-servers={}", etcd::url(ports.etcd)),
        format!("--etcd-cafile={}", certificate("ca.crt")),
        format!("--etcd-certfile={}", certificate("etcd-client.crt")),
        format!("--etcd-keyfile={}", certificate("etcd-client.key")),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", ports.kube_apiserver),
        // The endpoint of the `kubernetes` Service. Loopback is not allowed there, and without a default route (a laptop
        // that is offline) the server would not start unless it is told one.
        format!("--advertise-address={FIRST_ADDRESS}"),
        format!("--tls-cert-file={}", certificate("kube-apiserver.crt")),
        format!("--tls-private-key-file={}", certificate("kube-apiserver.key")),
        format!("--client-ca-file={}", certificate("ca.crt")),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
        format!("--service-account-key-file={}", certificate("service-account.pub")),
        format!("--service-account-signing-key-file={}", certificate("service-account.key")),
        format!("--service-cluster-ip-range={SERVICE_RANGE}"),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--allow-privileged=true".to_owned(),
        // Webhooks are answered by pods, and simulated pods answer nothing: with `failurePolicy: Fail` they would block everything else.
        "--disable-admission-plugins=MutatingAdmissionWebhook,ValidatingAdmissionWebhook".to_owned(),
        "--profiling=false".to_owned(),
        // `kubectl logs` and `exec` go to the node's kubelet. A node's own name could resolve to the real board, so that
        // only the address is used that simulated nodes carry for this: kwok's server.
        "--kubelet-preferred-address-types=ExternalDNS".to_owned(),
        format!("--kubelet-certificate-authority={}", certificate("ca.crt")),
        format!("--kubelet-client-certificate={}", certificate("admin.crt")),
        format!("--kubelet-client-key={}", certificate("admin.key")),
    ]
}

//! The Node object of a simulated machine.

use super::{NodeSpec, Role};
use crate::quantity::canonical;
use k8s_openapi::api::core::v1::{
    DaemonEndpoint, Node, NodeAddress, NodeDaemonEndpoints, NodeSpec as Spec, NodeStatus, NodeSystemInfo,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use std::collections::BTreeMap;

/// The annotation by which kwok knows its nodes, and everyone else that they are simulated.
pub(crate) const SIMULATED: &str = "kwok.x-k8s.io/node";

/// Keys of the labels that we set, so that those that the user added stay when ours change.
pub(super) const OUR_LABELS: &str = "sandbox.cluster/labels";

/// Node addresses are 198.18.0.1, .2 …: from the range for benchmarks (RFC 2544, 198.18.0.0/15), which no network
/// routes, so that a simulated address is never that of someone's machine.
const NODE_NETWORK: [u8; 3] = [198, 18, 0];

/// Address of the first node; also the endpoint of the `kubernetes` Service.
pub(crate) const FIRST_ADDRESS: &str = "198.18.0.1";

/// K3s' range for pods; each node has 256 addresses of it, also as in K3s.
pub(crate) const POD_RANGE: &str = "10.42.0.0/16";

/// Nodes whose addresses fit.
pub(crate) const LIMIT: usize = 254;

/// K3s' kubelet of the version that the boards get; the API server of the sandbox is plain Kubernetes 1.35.
const KUBELET: &str = "v1.35.6+k3s1";

/// The last part of a node's address, from 1.
pub(super) type Slot = u8;

/// The slot of an existing node.
pub(super) fn slot(node: &Node) -> Option<Slot> {
    let addresses = node.status.as_ref()?.addresses.as_ref()?;
    let address = addresses.iter().find(|address| address.type_ == "InternalIP")?;
    let octets = address.address.parse::<std::net::Ipv4Addr>().ok()?.octets();
    octets.starts_with(&NODE_NETWORK).then_some(octets[3]).filter(|slot| *slot > 0)
}

/// The object of a machine.
pub(super) fn node(spec: &NodeSpec, slot: Slot, kwok_port: u16) -> Node {
    let labels = labels(spec);
    let keys = labels.keys().cloned().collect::<Vec<_>>().join(",");
    let mut node = Node::default();
    node.metadata.name = Some(spec.name.clone());
    node.metadata.labels = Some(labels);
    node.metadata.annotations =
        Some(BTreeMap::from([(SIMULATED.to_owned(), "fake".to_owned()), (OUR_LABELS.to_owned(), keys)]));
    let pods = format!("10.42.{}.0/24", slot - 1);
    node.spec = Some(Spec { pod_cidr: Some(pods.clone()), pod_cidrs: Some(vec![pods]), ..Spec::default() });
    node.status = Some(NodeStatus {
        capacity: Some(resources(spec)),
        allocatable: Some(resources(spec)),
        addresses: Some(addresses(spec, slot)),
        daemon_endpoints: Some(NodeDaemonEndpoints {
            kubelet_endpoint: Some(DaemonEndpoint { port: i32::from(kwok_port) }),
        }),
        node_info: Some(system(spec)),
        phase: Some("Pending".to_owned()),
        ..NodeStatus::default()
    });
    node
}

/// What a kubelet and K3s 1.35 set (`kubectl get node --show-labels`), then the machine's own.
fn labels(spec: &NodeSpec) -> BTreeMap<String, String> {
    let role = match spec.role {
        Role::Controller => Some(("node-role.kubernetes.io/control-plane", "true")),
        Role::Worker => None,
    };
    [
        ("kubernetes.io/arch", spec.arch.as_str()),
        ("kubernetes.io/os", "linux"),
        ("kubernetes.io/hostname", &spec.name),
        ("beta.kubernetes.io/arch", &spec.arch),
        ("beta.kubernetes.io/os", "linux"),
        ("node.kubernetes.io/instance-type", "k3s"),
    ]
    .into_iter()
    .chain(role)
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .chain(spec.labels.clone())
    .collect()
}

fn resources(spec: &NodeSpec) -> BTreeMap<String, Quantity> {
    BTreeMap::from([
        ("cpu".to_owned(), Quantity(spec.cpus.to_string())),
        ("memory".to_owned(), Quantity(canonical(spec.memory_bytes))),
        ("ephemeral-storage".to_owned(), Quantity(canonical(spec.storage_bytes))),
        // The kubelet's default, `--max-pods`.
        ("pods".to_owned(), Quantity("110".to_owned())),
    ])
}

fn addresses(spec: &NodeSpec, slot: Slot) -> Vec<NodeAddress> {
    let [a, b, c] = NODE_NETWORK;
    let address = |kind: &str, address: String| NodeAddress { type_: kind.to_owned(), address };
    vec![
        address("InternalIP", format!("{a}.{b}.{c}.{slot}")),
        address("Hostname", spec.name.clone()),
        // Where the API server finds kwok's server, see `apiserver`.
        address("ExternalDNS", "localhost".to_owned()),
    ]
}

fn system(spec: &NodeSpec) -> NodeSystemInfo {
    NodeSystemInfo {
        architecture: spec.arch.clone(),
        operating_system: "linux".to_owned(),
        os_image: "Debian GNU/Linux 13 (trixie)".to_owned(),
        kernel_version: if spec.arch == "arm64" { "6.12.34+rpt-rpi-v8" } else { "6.12.38+deb13-amd64" }.to_owned(),
        container_runtime_version: "containerd://2.1.5-k3s1".to_owned(),
        kubelet_version: KUBELET.to_owned(),
        kube_proxy_version: String::new(),
        ..NodeSystemInfo::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_looks_like_one_of_k3s() {
        let mut spec = NodeSpec::new("pi-1", Role::Worker, "arm64", 4, 8 << 30);
        spec.labels.insert("storage".to_owned(), "m2-ssd".to_owned());
        let node = node(&spec, 2, 16005);
        assert_eq!(slot(&node), Some(2));
        insta::assert_yaml_snapshot!(node);
    }

    #[test]
    fn the_first_node_is_the_endpoint_of_the_kubernetes_service() {
        let spec = NodeSpec::new("amd-build", Role::Controller, "amd64", 8, 32 << 30);
        let node = node(&spec, 1, 16005);
        assert_eq!(node.status.unwrap().addresses.unwrap()[0].address, FIRST_ADDRESS);
        assert_eq!(node.metadata.labels.unwrap()["node-role.kubernetes.io/control-plane"], "true");
    }

    #[test]
    fn addresses_of_others_are_no_slots() {
        let mut node = Node::default();
        assert_eq!(slot(&node), None);
        let foreign = NodeAddress { type_: "InternalIP".to_owned(), address: "192.168.0.7".to_owned() };
        node.status = Some(NodeStatus { addresses: Some(vec![foreign]), ..NodeStatus::default() });
        assert_eq!(slot(&node), None);
    }
}

//! Addresses for Services of type `LoadBalancer`, as K3s' ServiceLB gives them: those of the nodes
//! (<https://docs.k3s.io/networking/networking-services#service-load-balancer>). ServiceLB opens the Service's ports on
//! the hosts, so that a port which another Service has on them leaves the later one without address; so it is here.

use super::follow::{Reconcile, follow, on_change};
use k8s_openapi::api::core::v1::{LoadBalancerIngress, Node, PortStatus, Service};
use kube::api::{Patch, PatchParams};
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::runtime::reflector::Store;
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// With this label on any node, only nodes that have it serve.
const ENABLED: &str = "svccontroller.k3s.cattle.io/enablelb";

/// What becomes of one Service.
#[derive(Debug)]
struct Decision {
    service: Arc<Service>,
    addresses: Vec<LoadBalancerIngress>,
    /// The port that another Service has: (port, its owner).
    conflict: Option<(String, String)>,
}

struct ServiceLb {
    client: Client,
    recorder: Recorder,
    services: Store<Service>,
    nodes: Store<Node>,
    /// The conflict that each Service has been told of, so that it hears of it once.
    told: BTreeMap<String, String>,
}

/// Starts the controller.
pub(super) fn start(client: &Client, tasks: &mut JoinSet<()>) {
    let changed = Arc::new(Notify::new());
    let controller = ServiceLb {
        client: client.clone(),
        recorder: Recorder::new(client.clone(), Reporter { controller: "service-lb".to_owned(), instance: None }),
        services: follow(Api::all(client.clone()), &changed, tasks),
        nodes: follow(Api::all(client.clone()), &changed, tasks),
        told: BTreeMap::new(),
    };
    tasks.spawn(async move {
        // Fails only when the writers are gone, and then so are we.
        let _ = controller.services.wait_until_ready().await;
        let _ = controller.nodes.wait_until_ready().await;
        on_change(changed, controller).await;
    });
}

impl Reconcile for ServiceLb {
    async fn work(&mut self) -> kube::Result<()> {
        for decision in decide(&self.services.state(), &self.nodes.state()) {
            if let Some((port, owner)) = &decision.conflict {
                self.tell(&decision.service, port, owner).await;
            }
            self.publish(&decision).await?;
        }
        Ok(())
    }
}

impl ServiceLb {
    async fn publish(&self, decision: &Decision) -> kube::Result<()> {
        let service = &decision.service;
        if current(service) == decision.addresses {
            return Ok(());
        }
        let services: Api<Service> = Api::namespaced(self.client.clone(), &service.namespace().unwrap_or_default());
        let patch = json!({"status": {"loadBalancer": {"ingress": decision.addresses}}});
        match services.patch_status(&service.name_any(), &PatchParams::default(), &Patch::Merge(patch)).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            result => result.map(drop),
        }
    }

    /// Says in an event of the Service why it has no address. One that can't be written is not worth a second try.
    async fn tell(&mut self, service: &Service, port: &str, owner: &str) {
        let before = self.told.insert(service.uid().unwrap_or_default(), port.to_owned());
        if before.as_deref() == Some(port) {
            return;
        }
        let event = Event {
            type_: EventType::Warning,
            reason: "PortConflict".to_owned(),
            note: Some(format!("no address: port {port} of the nodes is taken by service {owner}")),
            action: "Assigning".to_owned(),
            secondary: None,
        };
        if let Err(error) = self.recorder.publish(&event, &service.object_ref(&())).await {
            tracing::debug!(%error, "event not written");
        }
    }
}

/// Older Services first: who has a port keeps it.
fn decide(services: &[Arc<Service>], nodes: &[Arc<Node>]) -> Vec<Decision> {
    let mut balanced: Vec<_> = services.iter().filter(|service| is_ours(service)).cloned().collect();
    balanced.sort_by_key(|service| (service.creation_timestamp(), service.namespace(), service.name_any()));
    let addresses = node_addresses(nodes);
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    let decide_one = |service: Arc<Service>| {
        let ports = ports(&service);
        let conflict = ports.iter().find_map(|port| Some((port.clone(), owners.get(port)?.clone())));
        if conflict.is_some() {
            return Decision { service, addresses: Vec::new(), conflict };
        }
        let owner = format!("{}/{}", service.namespace().unwrap_or_default(), service.name_any());
        owners.extend(ports.into_iter().map(|port| (port, owner.clone())));
        Decision { service, addresses: addresses.clone(), conflict: None }
    };
    balanced.into_iter().map(decide_one).collect()
}

/// A Service with a class belongs to the controller of that class.
fn is_ours(service: &Service) -> bool {
    service.metadata.deletion_timestamp.is_none()
        && service
            .spec
            .as_ref()
            .is_some_and(|spec| spec.type_.as_deref() == Some("LoadBalancer") && spec.load_balancer_class.is_none())
}

fn ports(service: &Service) -> Vec<String> {
    let ports = service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    ports.map(|port| format!("{}/{}", port.port, port.protocol.as_deref().unwrap_or("TCP"))).collect()
}

/// External addresses where nodes have them, else internal ones, of the nodes that are ready; sorted.
pub(super) fn node_addresses(nodes: &[Arc<Node>]) -> Vec<LoadBalancerIngress> {
    let serving = |node: &&Arc<Node>| node.labels().get(ENABLED).is_some_and(|value| value == "true");
    let some_enabled = nodes.iter().any(|node| serving(&node));
    let mut addresses: Vec<_> = nodes
        .iter()
        .filter(|node| is_ready(node) && (!some_enabled || serving(node)))
        .filter_map(|node| address(node, "ExternalIP").or_else(|| address(node, "InternalIP")))
        .collect();
    addresses.sort();
    addresses.dedup();
    addresses
        .into_iter()
        .map(|ip| LoadBalancerIngress {
            ip: Some(ip.to_string()),
            ip_mode: Some("VIP".to_owned()),
            ..Default::default()
        })
        .collect()
}

fn is_ready(node: &Node) -> bool {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn address(node: &Node, kind: &str) -> Option<std::net::IpAddr> {
    let addresses = node.status.as_ref()?.addresses.as_ref()?;
    addresses.iter().find(|address| address.type_ == kind)?.address.parse().ok()
}

fn current(service: &Service) -> Vec<LoadBalancerIngress> {
    let status = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let no_ports = |ports: &Option<Vec<PortStatus>>| ports.as_ref().is_none_or(Vec::is_empty);
    let addresses = status.and_then(|it| it.ingress.clone()).unwrap_or_default();
    addresses
        .into_iter()
        .map(|it| LoadBalancerIngress { ports: it.ports.clone().filter(|_| !no_ports(&it.ports)), ..it })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn node(name: &str, address: &str, ready: bool, labels: Value) -> Arc<Node> {
        let node = json!({
            "metadata": {"name": name, "labels": labels},
            "status": {
                "addresses": [{"type": "InternalIP", "address": address}],
                "conditions": [{"type": "Ready", "status": if ready { "True" } else { "Unknown" }}],
            },
        });
        Arc::new(serde_json::from_value(node).unwrap())
    }

    fn service(name: &str, age: u32, port: u16, spec: Value) -> Arc<Service> {
        let mut all = json!({"type": "LoadBalancer", "ports": [{"port": port, "protocol": "TCP"}]});
        all.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        let service = json!({
            "metadata": {
                "name": name, "namespace": "default", "uid": name,
                "creationTimestamp": format!("2026-01-{:02}T00:00:00Z", 28 - age),
            },
            "spec": all,
        });
        Arc::new(serde_json::from_value(service).unwrap())
    }

    fn nodes() -> Vec<Arc<Node>> {
        vec![
            node("pi-2", "198.18.0.10", true, json!({})),
            node("pi-1", "198.18.0.2", true, json!({})),
            node("pi-3", "198.18.0.3", false, json!({})),
        ]
    }

    fn shown(decisions: &[Decision]) -> Vec<String> {
        let ips = |decision: &Decision| {
            decision.addresses.iter().map(|it| it.ip.clone().unwrap()).collect::<Vec<_>>().join(",")
        };
        decisions.iter().map(|it| format!("{}={}", it.service.name_any(), ips(it))).collect()
    }

    #[test]
    fn a_service_gets_the_ready_nodes() {
        let decisions = decide(&[service("web", 1, 80, json!({}))], &nodes());
        assert_eq!(shown(&decisions), ["web=198.18.0.2,198.18.0.10"]);
    }

    #[test]
    fn the_older_service_keeps_a_port() {
        let services =
            [service("new", 1, 80, json!({})), service("old", 5, 80, json!({})), service("dns", 1, 53, json!({}))];
        let decisions = decide(&services, &nodes());
        assert_eq!(shown(&decisions), ["old=198.18.0.2,198.18.0.10", "dns=198.18.0.2,198.18.0.10", "new="]);
        assert_eq!(decisions[2].conflict, Some(("80/TCP".to_owned(), "default/old".to_owned())));
    }

    #[test]
    fn other_types_and_classes_are_left_alone() {
        let services = [
            service("plain", 1, 80, json!({"type": "ClusterIP"})),
            service("metal", 1, 80, json!({"loadBalancerClass": "metallb"})),
        ];
        assert!(decide(&services, &nodes()).is_empty());
    }

    #[test]
    fn labelled_nodes_serve_alone() {
        let mut nodes = nodes();
        nodes.push(node("edge", "198.18.0.9", true, json!({ENABLED: "true"})));
        assert_eq!(node_addresses(&nodes).len(), 1);
    }
}

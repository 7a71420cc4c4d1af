//! Addresses for Ingresses of the classes that the sandbox brings: those of the nodes, as Traefik and ingress-nginx
//! publish them on K3s.

use super::follow::{Reconcile, follow, on_change};
use super::service_lb::node_addresses;
use crate::defaults::INGRESS_CLASSES;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::api::networking::v1::{Ingress, IngressLoadBalancerIngress};
use kube::api::{Patch, PatchParams};
use kube::runtime::reflector::Store;
use kube::{Api, Client, ResourceExt};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::JoinSet;

struct Ingresses {
    client: Client,
    ingresses: Store<Ingress>,
    nodes: Store<Node>,
}

/// Starts the controller.
pub(super) fn start(client: &Client, tasks: &mut JoinSet<()>) {
    let changed = Arc::new(Notify::new());
    let controller = Ingresses {
        client: client.clone(),
        ingresses: follow(Api::all(client.clone()), &changed, tasks),
        nodes: follow(Api::all(client.clone()), &changed, tasks),
    };
    tasks.spawn(async move {
        // Fails only when the writers are gone, and then so are we.
        let _ = controller.ingresses.wait_until_ready().await;
        let _ = controller.nodes.wait_until_ready().await;
        on_change(changed, controller).await;
    });
}

impl Reconcile for Ingresses {
    async fn work(&mut self) -> kube::Result<()> {
        for (ingress, addresses) in outdated(&self.ingresses.state(), &self.nodes.state()) {
            publish(&self.client, &ingress, &addresses).await?;
        }
        Ok(())
    }
}

async fn publish(client: &Client, ingress: &Ingress, addresses: &[IngressLoadBalancerIngress]) -> kube::Result<()> {
    let ingresses: Api<Ingress> = Api::namespaced(client.clone(), &ingress.namespace().unwrap_or_default());
    let patch = json!({"status": {"loadBalancer": {"ingress": addresses}}});
    match ingresses.patch_status(&ingress.name_any(), &PatchParams::default(), &Patch::Merge(patch)).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        result => result.map(drop),
    }
}

/// The Ingresses of our classes that do not have the nodes' addresses. The API server has put the default class into those
/// that name none.
fn outdated(ingresses: &[Arc<Ingress>], nodes: &[Arc<Node>]) -> Vec<(Arc<Ingress>, Vec<IngressLoadBalancerIngress>)> {
    let wanted: Vec<_> = node_addresses(nodes)
        .into_iter()
        .map(|address| IngressLoadBalancerIngress { ip: address.ip, ..Default::default() })
        .collect();
    let is_ours = |ingress: &Ingress| {
        let class = ingress.spec.as_ref().and_then(|spec| spec.ingress_class_name.as_deref());
        INGRESS_CLASSES.iter().any(|(name, ..)| class == Some(name))
    };
    ingresses
        .iter()
        .filter(|ingress| is_ours(ingress) && current(ingress) != wanted)
        .map(|ingress| (ingress.clone(), wanted.clone()))
        .collect()
}

fn current(ingress: &Ingress) -> Vec<IngressLoadBalancerIngress> {
    let status = ingress.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    status.and_then(|it| it.ingress.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ingresses_of_our_classes_get_the_nodes_addresses_once() {
        let node = json!({
            "metadata": {"name": "pi-1"},
            "status": {
                "addresses": [{"type": "InternalIP", "address": "198.18.0.2"}],
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        });
        let nodes = [Arc::new(serde_json::from_value::<Node>(node).unwrap())];
        let ingress = |class: &str| -> Arc<Ingress> {
            let ingress = json!({"metadata": {"name": class}, "spec": {"ingressClassName": class}});
            Arc::new(serde_json::from_value(ingress).unwrap())
        };
        let found = outdated(&[ingress("traefik"), ingress("istio")], &nodes);
        assert_eq!(found.len(), 1);
        let mut done = found[0].0.as_ref().clone();
        done.status = serde_json::from_value(json!({"loadBalancer": {"ingress": found[0].1}})).unwrap();
        assert!(outdated(&[Arc::new(done)], &nodes).is_empty());
    }
}

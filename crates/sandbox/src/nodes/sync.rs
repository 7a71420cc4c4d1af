//! Making the cluster's nodes those of the inventory.

use super::object::{self, OUR_LABELS, SIMULATED, Slot};
use super::{LIMIT, NodeSpec};
use crate::Error;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Requests under way at once; 200 nodes are made in about a second.
const PARALLEL: usize = 16;

/// What has to be done, by node name.
#[derive(Debug, Default, PartialEq)]
struct Plan {
    create: Vec<Node>,
    /// Merge patches of the object and of its status.
    update: Vec<(String, Value, Value)>,
    delete: Vec<String>,
}

/// How many nodes were touched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) created: usize,
    pub(crate) updated: usize,
    pub(crate) deleted: usize,
}

/// Creates, updates and deletes simulated nodes; real ones are left alone.
pub(crate) async fn sync(client: &Client, specs: &[NodeSpec], kwok_port: u16) -> Result<Changes, Error> {
    let plan = plan(&simulated(client).await?, specs, kwok_port);
    let changes = Changes { created: plan.create.len(), updated: plan.update.len(), deleted: plan.delete.len() };
    let nodes: Api<Node> = Api::all(client.clone());
    futures::stream::iter(&plan.create)
        .map(|node| create(&nodes, node))
        .buffer_unordered(PARALLEL)
        .try_collect::<()>()
        .await?;
    futures::stream::iter(&plan.update)
        .map(|(name, object, status)| update(&nodes, name, object, status))
        .buffer_unordered(PARALLEL)
        .try_collect::<()>()
        .await?;
    for name in &plan.delete {
        delete(client, name).await?;
    }
    Ok(changes)
}

/// Whether nothing would be done.
pub(crate) async fn are_in_step(client: &Client, specs: &[NodeSpec], kwok_port: u16) -> Result<bool, Error> {
    Ok(plan(&simulated(client).await?, specs, kwok_port) == Plan::default())
}

/// How many of the simulated nodes take pods, and the names of those that do not.
pub(crate) async fn readiness(client: &Client) -> Result<(usize, Vec<String>), Error> {
    let (ready, not_ready): (Vec<_>, Vec<_>) = simulated(client).await?.into_iter().partition(takes_pods);
    Ok((ready.len(), not_ready.iter().map(ResourceExt::name_any).collect()))
}

/// All nodes, real ones included.
pub(crate) async fn list(client: &Client) -> Result<Vec<Node>, Error> {
    let nodes: Api<Node> = Api::all(client.clone());
    Ok(nodes.list(&ListParams::default()).await.map_err(Error::api("listing the nodes"))?.items)
}

/// Those that kwok plays.
pub(crate) async fn simulated(client: &Client) -> Result<Vec<Node>, Error> {
    Ok(list(client).await?.into_iter().filter(|node| node.annotations().contains_key(SIMULATED)).collect())
}

async fn create(nodes: &Api<Node>, node: &Node) -> Result<(), Error> {
    let asked = || format!("making node `{}`", node.name_any());
    nodes.create(&PostParams::default(), node).await.map(drop).map_err(Error::api(asked()))
}

async fn update(nodes: &Api<Node>, name: &str, object: &Value, status: &Value) -> Result<(), Error> {
    let parameters = PatchParams::default();
    let asked = format!("changing node `{name}`");
    nodes.patch(name, &parameters, &Patch::Merge(object)).await.map_err(Error::api(&asked))?;
    nodes.patch_status(name, &parameters, &Patch::Merge(status)).await.map(drop).map_err(Error::api(&asked))
}

/// Deletes a node and at once the pods on it: no kubelet is left to do it, and Kubernetes' own clean-up takes a minute.
async fn delete(client: &Client, name: &str) -> Result<(), Error> {
    let asked = format!("deleting node `{name}`");
    let nodes: Api<Node> = Api::all(client.clone());
    ignore_missing(nodes.delete(name, &DeleteParams::default()).await).map_err(Error::api(&asked))?;
    let pods: Api<Pod> = Api::all(client.clone());
    let on_node = ListParams::default().fields(&format!("spec.nodeName={name}"));
    for pod in pods.list(&on_node).await.map_err(Error::api(&asked))? {
        let pods: Api<Pod> = Api::namespaced(client.clone(), &pod.namespace().unwrap_or_default());
        let now = DeleteParams::default().grace_period(0);
        ignore_missing(pods.delete(&pod.name_any(), &now).await).map_err(Error::api(&asked))?;
    }
    Ok(())
}

fn ignore_missing<T>(result: kube::Result<T>) -> kube::Result<()> {
    match result {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        other => other.map(drop),
    }
}

fn plan(existing: &[Node], specs: &[NodeSpec], kwok_port: u16) -> Plan {
    let by_name: BTreeMap<String, &Node> = existing.iter().map(|node| (node.name_any(), node)).collect();
    let mut plan = Plan::default();
    for (spec, slot) in slots(&by_name, specs) {
        let wanted = object::node(spec, slot, kwok_port);
        match by_name.get(&spec.name) {
            None => plan.create.push(wanted),
            Some(node) => plan.update.extend(difference(node, &wanted)),
        }
    }
    let names: BTreeSet<_> = specs.iter().map(|spec| spec.name.as_str()).collect();
    plan.delete = by_name.into_keys().filter(|name| !names.contains(name.as_str())).collect();
    plan
}

/// Existing nodes keep their addresses; new ones get the lowest that are free, in the order of the inventory.
fn slots<'a>(existing: &BTreeMap<String, &Node>, specs: &'a [NodeSpec]) -> Vec<(&'a NodeSpec, Slot)> {
    let kept: BTreeMap<_, _> = existing.iter().filter_map(|(name, node)| Some((name, object::slot(node)?))).collect();
    let taken: BTreeSet<_> = kept.values().copied().collect();
    let limit = Slot::try_from(LIMIT).unwrap_or(Slot::MAX);
    let mut free = (1..=limit).filter(|slot| !taken.contains(slot));
    specs.iter().filter_map(|spec| Some((spec, kept.get(&spec.name).copied().or_else(|| free.next())?))).collect()
}

/// The patches that make `node` what is wanted, `None` if it is.
fn difference(node: &Node, wanted: &Node) -> Option<(String, Value, Value)> {
    let keys = |node: &Node| -> BTreeSet<String> {
        let keys = node.annotations().get(OUR_LABELS).cloned().unwrap_or_default();
        keys.split(',').filter(|key| !key.is_empty()).map(str::to_owned).collect()
    };
    let gone: Vec<_> = keys(node).difference(&keys(wanted)).cloned().collect();
    let labels_differ = !gone.is_empty()
        || wanted.labels().iter().any(|(key, value)| node.labels().get(key) != Some(value))
        || node.annotations().get(OUR_LABELS) != wanted.annotations().get(OUR_LABELS);
    let status = |node: &Node| {
        let status = node.status.as_ref()?;
        let info = status.node_info.as_ref()?;
        Some(json!({
            "capacity": status.capacity, "allocatable": status.allocatable, "addresses": status.addresses,
            "daemonEndpoints": status.daemon_endpoints, "nodeInfo": info,
        }))
    };
    let wanted_status = status(wanted);
    if !labels_differ && status(node) == wanted_status {
        return None;
    }
    let labels: serde_json::Map<_, _> = gone
        .into_iter()
        .map(|key| (key, Value::Null))
        .chain(wanted.labels().iter().map(|(key, value)| (key.clone(), json!(value))))
        .collect();
    let object = json!({"metadata": {"labels": labels, "annotations": wanted.annotations()}});
    Some((node.name_any(), object, json!({"status": wanted_status})))
}

/// `Ready`, and without the taint that a node has until the node controller has seen that.
pub(crate) fn takes_pods(node: &Node) -> bool {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    let is_ready = conditions.into_iter().flatten().any(|it| it.type_ == "Ready" && it.status == "True");
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_ref());
    let is_tainted = taints
        .into_iter()
        .flatten()
        .any(|taint| matches!(taint.key.as_str(), "node.kubernetes.io/not-ready" | "node.kubernetes.io/unreachable"));
    is_ready && !is_tainted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Role;

    fn specs() -> Vec<NodeSpec> {
        (1..=3).map(|i| NodeSpec::new(format!("pi-{i}"), Role::Worker, "arm64", 4, 8 << 30)).collect()
    }

    fn nodes(specs: &[NodeSpec]) -> Vec<Node> {
        plan(&[], specs, 1).create
    }

    #[test]
    fn an_unchanged_inventory_needs_nothing() {
        assert_eq!(plan(&nodes(&specs()), &specs(), 1), Plan::default());
    }

    #[test]
    fn a_smaller_memory_changes_the_status_and_keeps_the_address() {
        let mut smaller = specs();
        smaller[1].memory_bytes = 1 << 20;
        let plan = plan(&nodes(&specs()), &smaller, 1);
        assert_eq!((plan.create.len(), plan.update.len(), plan.delete.len()), (0, 1, 0));
        let (name, _, status) = &plan.update[0];
        assert_eq!(name, "pi-2");
        assert_eq!(status["status"]["allocatable"]["memory"], "1Mi");
        assert_eq!(status["status"]["addresses"][0]["address"], "198.18.0.2");
    }

    #[test]
    fn labels_that_the_user_set_stay_and_ours_that_are_gone_go() {
        let mut before = specs();
        before[0].labels.insert("storage".to_owned(), "ssd".to_owned());
        let mut existing = nodes(&before);
        existing[0].labels_mut().insert("mine".to_owned(), "yes".to_owned());
        let plan = plan(&existing, &specs(), 1);
        let (_, object, _) = &plan.update[0];
        assert_eq!(object["metadata"]["labels"]["storage"], Value::Null);
        assert_eq!(object["metadata"]["labels"].get("mine"), None);
        assert_eq!(plan.update.len(), 1);
    }

    #[test]
    fn nodes_come_and_go_without_sharing_an_address() {
        let existing = nodes(&specs());
        let mut changed = specs();
        changed.remove(0);
        changed.push(NodeSpec::new("pi-9", Role::Worker, "arm64", 4, 8 << 30));
        let plan = plan(&existing, &changed, 1);
        assert_eq!(plan.delete, ["pi-1"]);
        assert_eq!(plan.create.iter().map(|node| object::slot(node).unwrap()).collect::<Vec<_>>(), [4]);
        assert!(plan.update.is_empty());
    }

    #[test]
    fn a_tainted_node_takes_no_pods() {
        let mut node: Node = serde_json::from_value(json!({
            "metadata": {"name": "pi-1"},
            "spec": {"taints": [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }))
        .unwrap();
        assert!(!takes_pods(&node));
        node.spec = None;
        assert!(takes_pods(&node));
    }
}

//! Why a pod fits no node: the scheduler says it in one sentence of counts, this says it node by node. The checks are the
//! scheduler's own filters (Kubernetes 1.35, scheduler plugins): NodeUnschedulable, TaintToleration, NodeAffinity,
//! NodeResourcesFit, VolumeBinding.

mod advice;
mod affinity;
mod resources;
mod taints;

pub(crate) use advice::{Constraint, advice};
use k8s_openapi::api::core::v1::{Node, PersistentVolume, Pod};
use kube::ResourceExt;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;

/// Why one node does not take the pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Refusal {
    /// Node.
    pub node: String,
    /// Everything that speaks against it; empty when nothing is found that does.
    pub reasons: Vec<Reason>,
}

impl Refusal {
    pub(crate) fn constraints(&self) -> BTreeSet<Constraint> {
        self.reasons.iter().map(|reason| reason.constraint).collect()
    }
}

/// One thing that speaks against a node, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Reason {
    text: String,
    #[serde(skip)]
    constraint: Constraint,
}

impl Reason {
    pub(crate) fn new(constraint: Constraint, text: impl Into<String>) -> Self {
        Self { constraint, text: text.into() }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What the pod is up against.
pub(crate) struct Surroundings<'a> {
    /// All nodes.
    pub nodes: &'a [Node],
    /// All pods of the cluster, for what is taken already.
    pub pods: &'a [Pod],
    /// The volumes that the pod's claims are bound to.
    pub volumes: &'a [PersistentVolume],
}

/// Node by node, what keeps the pod from it.
pub(crate) fn explain(pod: &Pod, surroundings: &Surroundings<'_>) -> Vec<Refusal> {
    let of = |node: &Node| Refusal { node: node.name_any(), reasons: reasons(pod, node, surroundings) };
    let mut refusals: Vec<_> = surroundings.nodes.iter().map(of).collect();
    refusals.sort_by(|a, b| a.node.cmp(&b.node));
    refusals
}

fn reasons(pod: &Pod, node: &Node, surroundings: &Surroundings<'_>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or(false) {
        reasons.push(Reason::new(Constraint::Cordon, "cordoned (unschedulable)"));
    }
    reasons.extend(taints::not_tolerated(pod, node));
    reasons.extend(affinity::mismatches(pod, node));
    reasons.extend(affinity::volume_mismatches(surroundings.volumes, node));
    reasons.extend(resources::shortages(pod, node, surroundings.pods));
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(name: &str, arch: &str, memory: &str) -> Node {
        let node = json!({
            "metadata": {"name": name, "labels": {"kubernetes.io/arch": arch}},
            "status": {"allocatable": {"cpu": "4", "memory": memory, "pods": "110"}},
        });
        serde_json::from_value(node).unwrap()
    }

    fn pod(spec: serde_json::Value) -> Pod {
        serde_json::from_value(json!({"metadata": {"name": "web"}, "spec": spec})).unwrap()
    }

    fn joined(reasons: &[Reason]) -> String {
        reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    fn explained(pod: &Pod, nodes: &[Node], pods: &[Pod]) -> Vec<String> {
        let refusals = explain(pod, &Surroundings { nodes, pods, volumes: &[] });
        refusals.iter().map(|refusal| format!("{}: {}", refusal.node, joined(&refusal.reasons))).collect()
    }

    #[test]
    fn too_little_memory_says_how_much_is_left() {
        let hungry = pod(json!({"containers": [{"name": "a", "resources": {"requests": {"memory": "3Gi"}}}]}));
        let mut other = pod(
            json!({"nodeName": "pi-1", "containers": [{"name": "a", "resources": {"requests": {"memory": "2Gi"}}}]}),
        );
        other.metadata.name = Some("other".into());
        let nodes = [node("pi-1", "arm64", "4Gi"), node("pi-2", "arm64", "1Gi"), node("pi-3", "arm64", "8Gi")];
        assert_eq!(
            explained(&hungry, &nodes, &[other]),
            ["pi-1: memory: needs 3Gi, 2Gi of 4Gi free", "pi-2: memory: needs 3Gi, 1Gi of 1Gi free", "pi-3: "]
        );
    }

    #[test]
    fn a_wrong_architecture_is_named() {
        let picky = pod(json!({"containers": [], "affinity": {"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}]}]}}}}));
        let found = explained(&picky, &[node("pi-1", "arm64", "4Gi")], &[]);
        assert_eq!(found, ["pi-1: node affinity: needs kubernetes.io/arch in (amd64), is arm64"]);
        let nodes = [node("pi-1", "arm64", "4Gi")];
        let refusals = explain(&picky, &Surroundings { nodes: &nodes, pods: &[], volumes: &[] });
        assert_eq!(refusals[0].constraints(), BTreeSet::from([Constraint::Architecture]));
    }

    #[test]
    fn cordons_and_taints_count() {
        let mut cordoned = node("pi-1", "arm64", "4Gi");
        cordoned.spec = serde_json::from_value(json!({"unschedulable": true, "taints": [
            {"key": "dedicated", "value": "db", "effect": "NoSchedule"}]}))
        .unwrap();
        let found = explained(&pod(json!({"containers": []})), &[cordoned], &[]);
        assert_eq!(found, ["pi-1: cordoned (unschedulable), taint dedicated=db:NoSchedule is not tolerated"]);
    }
}

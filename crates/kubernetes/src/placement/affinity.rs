//! Labels that a pod, or the volume it uses, wants and a node has not.

use super::{Constraint, Reason};
use k8s_openapi::api::core::v1::{Node, NodeSelectorRequirement, NodeSelectorTerm, PersistentVolume, Pod};
use kube::ResourceExt;

/// What of the pod's `nodeSelector` and required node affinity the node does not meet.
pub(super) fn mismatches(pod: &Pod, node: &Node) -> Vec<Reason> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    let selector = spec.node_selector.iter().flatten();
    let mut found: Vec<Reason> = selector
        .filter(|(key, value)| node.labels().get(*key) != Some(value))
        .map(|(key, value)| labels(format!("node selector: needs {key}={value}, {}", has(node, key))))
        .collect();
    let required = spec
        .affinity
        .as_ref()
        .and_then(|affinity| affinity.node_affinity.as_ref())
        .and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref());
    if let Some(required) = required {
        found.extend(unmet(&required.node_selector_terms, node).map(|what| labels(format!("node affinity: {what}"))));
    }
    found
}

/// Volumes that live on another node (`local-path` binds a volume to the node where its pod first ran).
pub(super) fn volume_mismatches(volumes: &[PersistentVolume], node: &Node) -> Vec<Reason> {
    let bound = volumes.iter().filter_map(|volume| {
        let required = volume.spec.as_ref()?.node_affinity.as_ref()?.required.as_ref()?;
        let what = unmet(&required.node_selector_terms, node)?;
        Some(Reason::new(Constraint::Volume, format!("volume {} is on another node: {what}", volume.name_any())))
    });
    bound.collect()
}

/// Labels that are missing; of the processor's nobody can give a node another one.
fn labels(text: String) -> Reason {
    let constraint = if text.contains(ARCHITECTURE) { Constraint::Architecture } else { Constraint::Labels };
    Reason::new(constraint, text)
}

/// The label that the kubelet sets (Kubernetes: Well-Known Labels).
const ARCHITECTURE: &str = "kubernetes.io/arch";

/// Terms are alternatives; when none is met, what is missing of the first says enough.
fn unmet(terms: &[NodeSelectorTerm], node: &Node) -> Option<String> {
    let missing = |term: &NodeSelectorTerm| {
        let expressions = term.match_expressions.iter().flatten().filter(|one| !meets(one, label(node, &one.key)));
        let fields = term.match_fields.iter().flatten().filter(|one| !meets(one, Some(&node.name_any())));
        expressions.chain(fields).map(|one| needs(one, node)).collect::<Vec<_>>()
    };
    let missing: Vec<_> = terms.iter().map(missing).collect();
    if missing.iter().any(Vec::is_empty) {
        return None;
    }
    missing.first().map(|lines| lines.join(" and "))
}

fn label<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.labels().get(key).map(String::as_str)
}

/// The operators of `NodeSelectorRequirement` (Kubernetes 1.35 API reference).
fn meets(requirement: &NodeSelectorRequirement, value: Option<&str>) -> bool {
    let values = requirement.values.as_deref().unwrap_or_default();
    let listed = || value.is_some_and(|value| values.iter().any(|one| one == value));
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
    let bound = number(values.first().map(String::as_str));
    match requirement.operator.as_str() {
        "In" => listed(),
        "NotIn" => !listed(),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => number(value).zip(bound).is_some_and(|(value, bound)| value > bound),
        "Lt" => number(value).zip(bound).is_some_and(|(value, bound)| value < bound),
        _ => false,
    }
}

fn needs(requirement: &NodeSelectorRequirement, node: &Node) -> String {
    let key = &requirement.key;
    let values = requirement.values.as_deref().unwrap_or_default().join(", ");
    let operator = match requirement.operator.as_str() {
        "In" => "in",
        "NotIn" => "not in",
        "Exists" => return format!("needs the label {key}"),
        "DoesNotExist" => return format!("must not have the label {key}"),
        "Gt" => ">",
        "Lt" => "<",
        other => other,
    };
    let is = if key == "metadata.name" { format!("is {}", node.name_any()) } else { has(node, key) };
    format!("needs {key} {operator} ({values}), {is}")
}

fn has(node: &Node, key: &str) -> String {
    label(node, key).map_or_else(|| "has no such label".to_owned(), |value| format!("is {value}"))
}

//! Taints that a pod does not tolerate (Kubernetes: Taints and Tolerations).

use super::{Constraint, Reason};
use k8s_openapi::api::core::v1::{Node, Pod, Taint, Toleration};

/// A line for each taint that keeps the pod away.
pub(super) fn not_tolerated(pod: &Pod, node: &Node) -> Vec<Reason> {
    let tolerations = pod.spec.as_ref().and_then(|spec| spec.tolerations.as_deref()).unwrap_or_default();
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default();
    let repelling = taints.iter().filter(|taint| taint.effect != "PreferNoSchedule");
    let held = repelling.filter(|taint| !tolerations.iter().any(|toleration| tolerates(toleration, taint)));
    let reason = |taint| Reason::new(Constraint::Taint, format!("taint {} is not tolerated", written(taint)));
    held.map(reason).collect()
}

/// The rule of `ToleratesTaint` (`k8s.io/api/core/v1/toleration.go`): an empty key with `Exists` matches everything.
fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let given = |field: &Option<String>| field.as_deref().filter(|text| !text.is_empty()).map(str::to_owned);
    if given(&toleration.effect).is_some_and(|effect| effect != taint.effect) {
        return false;
    }
    if given(&toleration.key).is_some_and(|key| key != taint.key) {
        return false;
    }
    match toleration.operator.as_deref() {
        Some("Exists") => true,
        _ => toleration.value.as_deref().unwrap_or_default() == taint.value.as_deref().unwrap_or_default(),
    }
}

fn written(taint: &Taint) -> String {
    match taint.value.as_deref().filter(|value| !value.is_empty()) {
        Some(value) => format!("{}={value}:{}", taint.key, taint.effect),
        None => format!("{}:{}", taint.key, taint.effect),
    }
}

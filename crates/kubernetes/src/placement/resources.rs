//! What a pod asks for against what a node has left. A pod's request is the larger of the sum of its containers and any
//! one init container, plus overhead; restartable init containers (sidecars) count into the sum (Kubernetes: Init
//! Containers, "Resource sharing within containers").

use super::{Constraint, Reason};
use crate::quantity::{cpu_millis, memory_bytes};
use k8s_openapi::api::core::v1::{Container, Node, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::ResourceExt;
use std::collections::{BTreeMap, BTreeSet};

/// A line for each resource of which the node has too little left.
pub(super) fn shortages(pod: &Pod, node: &Node, pods: &[Pod]) -> Vec<Reason> {
    let Some(allocatable) = node.status.as_ref().and_then(|status| status.allocatable.as_ref()) else {
        return vec![Reason::new(Constraint::Unreported, "it has not reported its resources yet")];
    };
    let name = node.name_any();
    let here: Vec<&Pod> = pods.iter().filter(|other| runs_on(other, &name) && !is_same(other, pod)).collect();
    let mut found: Vec<Reason> = requested_names(pod)
        .iter()
        .filter_map(|resource| {
            let total = allocatable.get(resource).map_or(0, |quantity| amount(resource, quantity));
            let taken: i64 = here.iter().map(|other| request(other, resource)).sum();
            let (needed, free) = (request(pod, resource), (total - taken).max(0));
            let say = |value| written(resource, value);
            let line = || format!("{resource}: needs {}, {} of {} free", say(needed), say(free), say(total));
            (needed > free).then(|| Reason::new(Constraint::Resources, line()))
        })
        .collect();
    let most = allocatable.get("pods").and_then(|quantity| quantity.0.parse::<usize>().ok());
    if let Some(most) = most.filter(|most| here.len() >= *most) {
        found.push(Reason::new(Constraint::Resources, format!("too many pods: {} of {most}", here.len())));
    }
    found
}

fn runs_on(pod: &Pod, node: &str) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    let finished = matches!(phase, Some("Succeeded" | "Failed"));
    !finished && pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()) == Some(node)
}

fn is_same(a: &Pod, b: &Pod) -> bool {
    (a.namespace(), a.name_any()) == (b.namespace(), b.name_any())
}

fn requests(container: &Container) -> Option<&BTreeMap<String, Quantity>> {
    container.resources.as_ref()?.requests.as_ref()
}

fn requested_names(pod: &Pod) -> BTreeSet<String> {
    let Some(spec) = &pod.spec else { return BTreeSet::new() };
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    containers.filter_map(requests).flat_map(|requests| requests.keys().cloned()).collect()
}

fn request(pod: &Pod, resource: &str) -> i64 {
    let Some(spec) = &pod.spec else { return 0 };
    let of = |container: &Container| {
        requests(container).and_then(|all| all.get(resource)).map_or(0, |quantity| amount(resource, quantity))
    };
    let is_sidecar = |container: &&Container| container.restart_policy.as_deref() == Some("Always");
    let init = || spec.init_containers.iter().flatten();
    let sidecars: i64 = init().filter(is_sidecar).map(of).sum();
    let running = spec.containers.iter().map(of).sum::<i64>() + sidecars;
    let starting = init().filter(|one| !is_sidecar(one)).map(|one| of(one) + sidecars).max().unwrap_or(0);
    let overhead = spec.overhead.as_ref().and_then(|all| all.get(resource)).map_or(0, |one| amount(resource, one));
    running.max(starting) + overhead
}

fn amount(resource: &str, quantity: &Quantity) -> i64 {
    let read = if resource == "cpu" { cpu_millis(&quantity.0) } else { memory_bytes(&quantity.0) };
    read.unwrap_or(0)
}

/// `1500` thousandths of a core as `1500m`, bytes in the largest binary unit that leaves no long fraction.
fn written(resource: &str, value: i64) -> String {
    if resource == "cpu" {
        return if value % 1000 == 0 { (value / 1000).to_string() } else { format!("{value}m") };
    }
    if !matches!(resource, "memory" | "ephemeral-storage") && !resource.starts_with("hugepages-") {
        return value.to_string();
    }
    let units = [("Gi", 1_i64 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)];
    let exact = units.iter().find(|(_, size)| value >= *size && value % size == 0);
    let (unit, size) = exact.copied().unwrap_or(("Mi", 1 << 20));
    if value % size == 0 || value > size { format!("{}{unit}", value / size) } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("cpu", 1500, "1500m")]
    #[case("cpu", 2000, "2")]
    #[case("memory", 3 << 30, "3Gi")]
    #[case("memory", 1_610_612_736, "1536Mi")]
    #[case("memory", 0, "0Mi")]
    #[case("nvidia.com/gpu", 1, "1")]
    fn amounts_are_written_as_people_do(#[case] resource: &str, #[case] value: i64, #[case] expected: &str) {
        assert_eq!(written(resource, value), expected);
    }

    #[test]
    fn a_pod_asks_for_the_larger_of_starting_and_running() {
        let cpu = |amount: &str| json!({"requests": {"cpu": amount}});
        let pod = json!({"spec": {
            "initContainers": [
                {"name": "sidecar", "restartPolicy": "Always", "resources": cpu("100m")},
                {"name": "migrate", "resources": cpu("2")}],
            "containers": [{"name": "a", "resources": cpu("500m")}, {"name": "b", "resources": cpu("1")}]}});
        assert_eq!(request(&serde_json::from_value(pod).unwrap(), "cpu"), 2100);
    }
}

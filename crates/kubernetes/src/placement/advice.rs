//! What to do when no node takes a pod: it depends on what the nodes have against it.

use super::Refusal;
use std::collections::BTreeSet;

/// What of a pod a node does not meet, in the order in which advice is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Constraint {
    /// CPU, memory, another resource, or the number of pods.
    Resources,
    /// `nodeSelector` or node affinity.
    Labels,
    /// The same, about the processor.
    Architecture,
    /// A taint without toleration.
    Taint,
    /// `kubectl cordon`
    Cordon,
    /// A volume that lives elsewhere, or that nobody makes.
    Volume,
    /// A port of the node that another pod has.
    HostPort,
    /// Other pods that it wants near or far.
    Pods,
    /// The node has told nothing about itself.
    Unreported,
}

impl Constraint {
    fn advice(self) -> &'static str {
        match self {
            Self::Resources => "lower the requests in the service's `values.yml`, or free or add a node",
            Self::Labels => {
                "correct `nodeSelector` or `affinity` in the service's values, or give a node the label (`kubectl label node`)"
            }
            Self::Architecture => "add a node of the architecture that the images exist for",
            Self::Taint => "add a toleration to the service's values, or remove the taint (`kubectl taint node`)",
            Self::Cordon => "give the node free again (`kubectl uncordon`)",
            Self::Volume => {
                "bring back the node that the volume lives on, or deploy what makes volumes (`kubectl get pv,pvc` shows them)"
            }
            Self::HostPort => "free the host port, which another pod has on each node, or choose another one",
            Self::Pods => "loosen the affinity to other pods in the service's values, or add a node",
            Self::Unreported => "wait until the nodes are ready (`kubectl get nodes`)",
        }
    }
}

/// The advice for the nodes that have the least against the pod: with those it is nearest to running. What the scheduler alone knows it says
/// in `message`.
pub(crate) fn advice(message: &str, nodes: &[Refusal]) -> String {
    let told = || nodes.iter().map(Refusal::constraints).filter(|constraints| !constraints.is_empty());
    let fewest = told().map(|constraints| constraints.len()).min().unwrap_or_default();
    let mut constraints: BTreeSet<Constraint> = told().filter(|found| found.len() == fewest).flatten().collect();
    if constraints.is_empty() {
        constraints = of_scheduler(message);
    }
    let advice: Vec<_> = constraints.into_iter().map(Constraint::advice).collect();
    match advice.is_empty() {
        true => "run `kubectl describe pod`, correct what it says".to_owned(),
        false => advice.join("; or "),
    }
}

/// The reasons of the scheduler's plugins NodePorts, InterPodAffinity, VolumeBinding and VolumeZone (Kubernetes 1.35).
fn of_scheduler(message: &str) -> BTreeSet<Constraint> {
    let known = [
        ("didn't have free ports", Constraint::HostPort),
        ("pod affinity rules", Constraint::Pods),
        ("anti-affinity rules", Constraint::Pods),
        ("topology spread constraints", Constraint::Pods),
        ("ersistentVolume", Constraint::Volume),
        ("ersistentvolumeclaim", Constraint::Volume),
        ("volume node affinity", Constraint::Volume),
        ("Insufficient ", Constraint::Resources),
        ("Too many pods", Constraint::Resources),
        ("untolerated taint", Constraint::Taint),
        ("node affinity/selector", Constraint::Labels),
    ];
    known.into_iter().filter(|(words, _)| message.contains(words)).map(|(_, constraint)| constraint).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::Reason;
    use rstest::rstest;

    fn refusal(constraints: &[Constraint]) -> Refusal {
        let reasons = constraints.iter().map(|constraint| Reason::new(*constraint, "why")).collect();
        Refusal { node: "pi-1".into(), reasons }
    }

    #[rstest]
    #[case("", vec![vec![Constraint::Resources]], "lower the requests")]
    #[case("", vec![vec![Constraint::Labels, Constraint::Taint], vec![Constraint::Labels]], "correct `nodeSelector`")]
    #[case("", vec![vec![], vec![Constraint::Cordon]], "give the node free")]
    #[case("0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.", vec![vec![]], "free the host port")]
    #[case("0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.", vec![], "loosen the affinity")]
    #[case("pod has unbound immediate PersistentVolumeClaims.", vec![vec![]], "bring back the node")]
    #[case("no idea", vec![], "run `kubectl describe pod`")]
    fn the_constraint_says_what_to_do(#[case] message: &str, #[case] nodes: Vec<Vec<Constraint>>, #[case] begin: &str) {
        let nodes: Vec<_> = nodes.iter().map(|constraints| refusal(constraints)).collect();
        let advice = advice(message, &nodes);
        assert!(advice.starts_with(begin) && !advice.contains("; or "), "{advice}");
    }

    #[test]
    fn nodes_that_are_equally_near_all_count() {
        let nodes = [refusal(&[Constraint::Architecture]), refusal(&[Constraint::Resources])];
        let wanted = format!("{}; or {}", Constraint::Resources.advice(), Constraint::Architecture.advice());
        assert_eq!(advice("", &nodes), wanted);
    }
}

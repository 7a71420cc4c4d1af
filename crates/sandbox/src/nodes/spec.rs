//! A machine, as far as the sandbox simulates it.

use crate::Error;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a machine is in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the control plane (K3s: server), and pods as well, since K3s does not taint it.
    Controller,
    /// Runs pods (K3s: agent).
    Worker,
}

/// One simulated node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSpec {
    /// The machine's name in the inventory.
    pub name: String,
    /// What it is in the cluster.
    pub role: Role,
    /// `amd64` or `arm64`.
    pub arch: String,
    /// Cores.
    pub cpus: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Disk for images and containers in bytes.
    pub storage_bytes: u64,
    /// Labels besides those that a kubelet and K3s set.
    pub labels: BTreeMap<String, String>,
}

impl NodeSpec {
    /// What an SD card of a board usually holds.
    pub const DEFAULT_STORAGE_BYTES: u64 = 64 << 30;

    /// A node without labels of its own.
    pub fn new(name: impl Into<String>, role: Role, arch: impl Into<String>, cpus: u32, memory_bytes: u64) -> Self {
        Self {
            name: name.into(),
            role,
            arch: arch.into(),
            cpus,
            memory_bytes,
            storage_bytes: Self::DEFAULT_STORAGE_BYTES,
            labels: BTreeMap::new(),
        }
    }

    /// The same machines with `count` workers: the first ones, or as many more like those that are there, in turn, whose
    /// names count on (`pi-5` after `pi-4`).
    pub fn with_workers(specs: Vec<Self>, count: usize) -> Vec<Self> {
        let (workers, mut all): (Vec<_>, Vec<_>) = specs.into_iter().partition(|spec| spec.role == Role::Worker);
        let models: Vec<Self> = if workers.is_empty() {
            let model = all.first().cloned();
            model.map(|model| Self { name: "worker-0".to_owned(), role: Role::Worker, ..model }).into_iter().collect()
        } else {
            workers.clone()
        };
        let mut taken: BTreeSet<String> = all.iter().chain(&workers).map(|spec| spec.name.clone()).collect();
        all.extend(workers.iter().take(count).cloned());
        let mut last = models.last().map(|spec| spec.name.clone()).unwrap_or_default();
        for model in models.iter().cycle().take(count.saturating_sub(workers.len())) {
            loop {
                last = following(&last);
                if taken.insert(last.clone()) {
                    break;
                }
            }
            all.push(Self { name: last.clone(), ..model.clone() });
        }
        all
    }

    /// Refuses sets that the cluster would refuse in the middle of its way up.
    pub(crate) fn check(specs: &[Self]) -> Result<(), Error> {
        let mut mistakes = diagnostic::Mistakes::new();
        let mut names = BTreeSet::new();
        for spec in specs {
            if !is_node_name(&spec.name) {
                let message = format!(
                    "host `{}` can not be a node: Kubernetes takes small letters, digits, `-` and `.`",
                    spec.name
                );
                mistakes.push(diagnostic::Mistake::new(message).hinted("rename the host in the inventory"));
            }
            if !names.insert(&spec.name) {
                mistakes.push(diagnostic::Mistake::new(format!("node `{}` is there twice", spec.name)));
            }
        }
        if specs.is_empty() {
            let hint = "name the inventory's hosts, or give another inventory with `--inventory`";
            mistakes.push(diagnostic::Mistake::new("the inventory has no machine for the sandbox").hinted(hint));
        }
        mistakes.into_result().map_err(Error::Nodes)?;
        let (count, limit) = (specs.len(), super::LIMIT);
        if count > limit { Err(Error::TooManyNodes { count, limit }) } else { Ok(()) }
    }
}

/// The next name: `pi-4` → `pi-5`, `node09` → `node10`, `pi` → `pi-2`.
fn following(name: &str) -> String {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &name[stem.len()..];
    match digits.parse::<u64>() {
        Ok(number) => format!("{stem}{:0width$}", number.saturating_add(1), width = digits.len()),
        Err(_) => format!("{name}-2"),
    }
}

/// A DNS subdomain (RFC 1123), which the names of nodes are.
fn is_node_name(name: &str) -> bool {
    let is_end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 253
        && name.split('.').all(|label| {
            label.starts_with(is_end) && label.ends_with(is_end) && label.chars().all(|c| is_end(c) || c == '-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn profile() -> Vec<NodeSpec> {
        let controller = NodeSpec::new("amd-build", Role::Controller, "amd64", 8, 32 << 30);
        let workers = (1..=2).map(|i| NodeSpec::new(format!("pi-{i}"), Role::Worker, "arm64", 4, 8 << 30));
        [controller].into_iter().chain(workers).collect()
    }

    #[rstest]
    #[case(0, "amd-build")]
    #[case(1, "amd-build pi-1")]
    #[case(2, "amd-build pi-1 pi-2")]
    #[case(4, "amd-build pi-1 pi-2 pi-3 pi-4")]
    fn workers_are_multiplied(#[case] count: usize, #[case] expected: &str) {
        let specs = NodeSpec::with_workers(profile(), count);
        assert_eq!(specs.iter().map(|spec| spec.name.as_str()).collect::<Vec<_>>().join(" "), expected);
        assert!(specs[1..].iter().all(|spec| spec.arch == "arm64"));
    }

    #[rstest]
    #[case("pi-4", "pi-5")]
    #[case("node09", "node10")]
    #[case("pi", "pi-2")]
    #[case("99999999999999999999", "99999999999999999999-2")]
    fn names_count_on(#[case] name: &str, #[case] next: &str) {
        assert_eq!(following(name), next);
    }

    #[test]
    fn taken_names_are_passed_over_and_a_lone_controller_is_a_model() {
        let mut specs = profile();
        specs[0].name = "pi-3".to_owned();
        assert_eq!(NodeSpec::with_workers(specs, 3).last().unwrap().name, "pi-4");
        let alone = NodeSpec::with_workers(profile()[..1].to_vec(), 2);
        assert_eq!(
            alone.iter().map(|spec| spec.name.as_str()).collect::<Vec<_>>(),
            ["amd-build", "worker-1", "worker-2"]
        );
    }

    #[test]
    fn all_bad_names_are_told_at_once() {
        let mut specs = profile();
        specs[0].name = "AMD_build".to_owned();
        specs[2].name = "pi-1".to_owned();
        let Err(Error::Nodes(mistakes)) = NodeSpec::check(&specs) else { panic!("accepted") };
        assert_eq!(mistakes.iter().count(), 2);
        assert!(matches!(NodeSpec::check(&[]), Err(Error::Nodes(_))));
        assert!(matches!(
            NodeSpec::check(&NodeSpec::with_workers(profile(), 1000)),
            Err(Error::TooManyNodes { count: 1001, .. })
        ));
    }
}

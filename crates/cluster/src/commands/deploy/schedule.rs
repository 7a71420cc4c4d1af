//! Which services may begin: those of earlier phases come first, and what a service requires.

use super::locate::Item;
use std::collections::BTreeSet;

/// For each service of the run, by its place in it, those that come before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Schedule {
    before: Vec<BTreeSet<usize>>,
}

impl Schedule {
    /// Of services in any order.
    pub(super) fn of(items: &[Item]) -> Self {
        let comes_first = |one: &Item, other: &Item| {
            other.service.phase < one.service.phase || one.service.requires.contains(&other.service.name)
        };
        let before = |one| (0..items.len()).filter(|other| comes_first(one, &items[*other])).collect();
        Self { before: items.iter().map(before).collect() }
    }

    /// Those that may begin now, in order.
    pub(super) fn ready(&self, begun: &BTreeSet<usize>, ended: &BTreeSet<usize>) -> Vec<usize> {
        let is_ready = |one: &usize| !begun.contains(one) && self.before[*one].is_subset(ended);
        (0..self.before.len()).filter(is_ready).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn items(described: &[(&str, &str, &[&str])]) -> Vec<Item> {
        let item = |(name, phase, requires): &(&str, &str, &[&str])| {
            let service = json!({"name": name, "summary": "x", "category": "x", "phase": phase, "requires": requires, "architectures": ["amd64"]});
            Item { service: serde_json::from_value(service).unwrap(), path: "build.yml".into() }
        };
        described.iter().map(item).collect()
    }

    fn set(of: &[usize]) -> BTreeSet<usize> {
        of.iter().copied().collect()
    }

    #[test]
    fn phases_come_one_after_the_other_and_what_is_required_first() {
        let items = items(&[
            ("storage", "infrastructure", &[]),
            ("ingress", "infrastructure", &[]),
            ("postgres", "core", &[]),
            ("collector", "core", &["postgres"]),
            ("redis", "core", &[]),
        ]);
        let schedule = Schedule::of(&items);
        assert_eq!(schedule.ready(&set(&[]), &set(&[])), [0, 1]);
        assert_eq!(schedule.ready(&set(&[0, 1]), &set(&[0])), [] as [usize; 0]);
        assert_eq!(schedule.ready(&set(&[0, 1]), &set(&[0, 1])), [2, 4]);
        assert_eq!(schedule.ready(&set(&[0, 1, 2, 4]), &set(&[0, 1, 2])), [3]);
    }
}

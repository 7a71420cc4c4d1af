//! The rules that need more than files and manifests.

use super::{ansible_lint, ansible_syntax, api_objects, catalog_files, helm_lint, native_playbook, render};
use catalog::lint::{OBJECT_NAMES, RULES};
use serde::Serialize;

/// A rule's name and what it asks, in a sentence.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Described {
    pub(super) rule: &'static str,
    pub(super) summary: &'static str,
    /// Whether `exceptions` of service.yml may name it.
    pub(super) exceptions: bool,
}

impl Described {
    pub(super) const fn new(rule: &'static str, summary: &'static str) -> Self {
        Self { rule, summary, exceptions: false }
    }
}

/// Every rule, in the order in which a service meets them.
pub(super) fn all() -> Vec<Described> {
    let before = [catalog_files::RULE, helm_lint::RULE, render::RULE, api_objects::RULE];
    let together =
        Described::new(OBJECT_NAMES, "no two services install an object of the same kind, namespace and name");
    let after = [together, native_playbook::RULE, ansible_syntax::RULE, ansible_lint::RULE];
    let own =
        RULES.iter().map(|rule| Described { rule: rule.name, summary: rule.summary, exceptions: rule.can_be_excepted });
    before.into_iter().chain(own).chain(after).collect()
}

#[cfg(test)]
mod tests {
    use super::all;
    use std::collections::BTreeSet;

    #[test]
    fn names_stand_once_and_sentences_are_short() {
        let rules = all();
        let names: BTreeSet<_> = rules.iter().map(|rule| rule.rule).collect();
        assert_eq!(names.len(), rules.len());
        for rule in rules {
            assert!(!rule.summary.ends_with('.') && rule.summary.len() < 170, "{}", rule.rule);
        }
    }
}

//! Where the rules put what they find, less the exceptions that the service lists.

use crate::lint::{Configuration, Finding, Object, Rule, Subject};
use diagnostic::Position;
use std::collections::BTreeSet;

/// Takes what the rules find of one service, one rule after the other.
pub(crate) struct Findings<'a> {
    subject: &'a Subject,
    rule: &'static Rule,
    found: Vec<Finding>,
    /// Indices of the exceptions that were needed.
    pub(crate) needed: BTreeSet<usize>,
    /// Rules that were tried.
    pub(crate) tried: BTreeSet<&'static str>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(subject: &'a Subject, rule: &'static Rule) -> Self {
        Self { subject, rule, found: Vec::new(), needed: BTreeSet::new(), tried: BTreeSet::new() }
    }

    /// The next rule's turn.
    pub(crate) fn begin(&mut self, rule: &'static Rule) {
        self.rule = rule;
        self.tried.insert(rule.name);
    }

    /// What the rule found.
    pub(crate) fn end(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.found)
    }

    /// Something in a rendered object, unless the service excepts it.
    pub(crate) fn object(&mut self, configuration: &Configuration, object: &Object, message: impl Into<String>) {
        let workload = self.subject.workload(configuration, object);
        let listed = &self.subject.service.exceptions;
        let excepted =
            listed.iter().position(|exception| exception.rule == self.rule.name && exception.workload == workload);
        if let Some(index) = excepted.filter(|_| self.rule.can_be_excepted) {
            self.needed.insert(index);
            return;
        }
        let finding = self.finding(message).of(workload, &configuration.name);
        self.found.push(match self.subject.template(object) {
            Some(file) => finding.in_file(file),
            None => finding,
        });
    }

    /// Something at a place.
    pub(crate) fn at(&mut self, position: &Position, message: impl Into<String>) {
        let finding = self.finding(message).at(position);
        self.found.push(finding);
    }

    /// The same, with another hint than the rule's.
    pub(crate) fn at_hinted(&mut self, position: &Position, message: impl Into<String>, hint: Option<String>) {
        let finding = Finding { hint, ..self.finding(message).at(position) };
        self.found.push(finding);
    }

    /// Something about a file as a whole.
    pub(crate) fn file(&mut self, path: impl Into<String>, message: impl Into<String>) {
        let finding = self.finding(message).in_file(path);
        self.found.push(finding);
    }

    fn finding(&self, message: impl Into<String>) -> Finding {
        let finding = Finding::new(self.rule.name, self.subject.service.name.as_str(), message);
        if self.rule.hint.is_empty() { finding } else { finding.hinted(self.rule.hint) }
    }
}

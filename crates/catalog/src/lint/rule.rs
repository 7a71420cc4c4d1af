//! A rule, and a service tried by all of them.

use crate::lint::findings::Findings;
use crate::lint::{NotRun, RULES, Rendered, Report, Subject};

/// Something that every service keeps.
#[derive(Debug)]
pub struct Rule {
    /// Its name, by which exceptions call it.
    pub name: &'static str,
    /// What it asks, in a sentence.
    pub summary: &'static str,
    /// What to do where it is not kept; may be empty.
    pub(crate) hint: &'static str,
    /// Whether `exceptions` of service.yml may name it.
    pub can_be_excepted: bool,
    /// Whether it looks at what Helm renders.
    pub needs_manifests: bool,
    pub(crate) check: fn(&Subject, &mut Findings<'_>),
}

impl Rule {
    /// A rule about what Helm renders.
    pub(crate) const fn manifests(
        name: &'static str,
        summary: &'static str,
        check: fn(&Subject, &mut Findings<'_>),
    ) -> Self {
        Self { name, summary, hint: "", can_be_excepted: false, needs_manifests: true, check }
    }

    /// A rule about what Helm renders that a workload can be excepted from, with the reason.
    pub(crate) const fn policy(
        name: &'static str,
        summary: &'static str,
        check: fn(&Subject, &mut Findings<'_>),
    ) -> Self {
        Self { can_be_excepted: true, ..Self::manifests(name, summary, check) }
    }

    /// A rule about files.
    pub(crate) const fn files(
        name: &'static str,
        summary: &'static str,
        check: fn(&Subject, &mut Findings<'_>),
    ) -> Self {
        Self { needs_manifests: false, ..Self::manifests(name, summary, check) }
    }

    pub(crate) const fn hinted(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }
}

/// The rule of that name.
pub fn find_rule(name: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.name == name)
}

/// Tries a service by every rule.
pub fn lint(subject: &Subject) -> Report {
    lint_by(subject, RULES)
}

/// Tries a service by some rules, in that order.
pub fn lint_by(subject: &Subject, rules: &[&'static Rule]) -> Report {
    let mut report = Report::default();
    let Some(first) = rules.first() else { return report };
    let mut findings = Findings::new(subject, first);
    for rule in rules {
        if let (true, Rendered::Missing(reason)) = (rule.needs_manifests, &subject.rendered) {
            let (service, reason) = (subject.service.name.to_string(), reason.clone());
            report.not_run.push(NotRun { rule: rule.name, service, reason });
            continue;
        }
        findings.begin(rule);
        (rule.check)(subject, &mut findings);
        report.take(rule.name, findings.end());
    }
    report
}

//! What came out, for all services.

use catalog::Service;
use catalog::lint::{Finding, NotRun, Report};
use std::collections::BTreeMap;

/// Who findings in files belong to that several services share.
pub(super) const SHARED: &str = "shared";

/// What came out for each service.
#[derive(Default)]
pub(super) struct Outcomes(BTreeMap<String, Report>);

impl Outcomes {
    /// What a rule found of a service.
    pub(super) fn take(&mut self, service: &Service, rule: &'static str, findings: Vec<Finding>) {
        self.of(service.name.as_str()).take(rule, findings);
    }

    /// A rule that could not be tried.
    pub(super) fn not_run(&mut self, rule: &'static str, services: &[&Service], reason: &str) {
        for service in services {
            let service = service.name.as_str();
            let not_run = NotRun { rule, service: service.to_owned(), reason: reason.to_owned() };
            self.of(service).not_run.push(not_run);
        }
    }

    /// Findings that no service has alone.
    pub(super) fn shared(&mut self, findings: Vec<Finding>) {
        if !findings.is_empty() {
            self.of(SHARED).findings.extend(findings);
        }
    }

    /// Adds everything of a service.
    pub(super) fn add(&mut self, service: &str, report: Report) {
        let own = self.of(service);
        own.passed.extend(report.passed);
        own.findings.extend(report.findings);
        own.not_run.extend(report.not_run);
    }

    /// Adds everything of another.
    pub(super) fn extend(&mut self, other: Self) {
        other.0.into_iter().for_each(|(service, report)| self.add(&service, report));
    }

    /// By service.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Report)> {
        self.0.iter().map(|(service, report)| (service.as_str(), report))
    }

    fn of(&mut self, service: &str) -> &mut Report {
        self.0.entry(service.to_owned()).or_default()
    }
}

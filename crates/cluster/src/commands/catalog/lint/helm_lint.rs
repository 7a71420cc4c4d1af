//! `helm lint --strict`, in every configuration.

use super::program::Said;
use super::render;
use super::rule::Described;
use catalog::lint::{Finding, Subject};

pub(super) const RULE: Described =
    Described::new("helm-lint", "`helm lint --strict` finds nothing in any of the chart's configurations");

/// What Helm complains about.
pub(super) fn findings(subject: &Subject, configuration: &str, said: &Said) -> Vec<Finding> {
    if render::is_upstream_missing(subject, &said.stdout) {
        return Vec::new();
    }
    let is_complaint = |line: &&str| line.starts_with("[ERROR]") || line.starts_with("[WARNING]");
    let mut complaints: Vec<_> = said.stdout.lines().filter(is_complaint).map(str::to_owned).collect();
    if complaints.is_empty() && !said.done {
        complaints.push(format!("{}\n{}", said.stdout.trim(), said.stderr.trim()).trim().to_owned());
    }
    let finding = |complaint: String| {
        Finding::new(RULE.rule, subject.service.name.as_str(), complaint)
            .in_file(subject.chart.path("Chart.yaml"))
            .of("chart", configuration)
    };
    complaints.into_iter().map(finding).collect()
}

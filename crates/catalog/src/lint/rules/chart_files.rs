//! A chart has everything that the charts here have.

use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule = Rule::files(
    "chart-files",
    "the chart has values.yaml, values.schema.json, notes and a test that Helm can run",
    check,
)
.hinted("build/charts/README.md shows each");

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for path in ["values.yaml", "values.schema.json", "templates/NOTES.txt"] {
        if !subject.chart.has(path) {
            findings.file(subject.chart.path(path), format!("there is no `{path}`"));
        }
    }
    let has_test = subject.chart.paths().any(|path| path.starts_with("templates/tests/"));
    // What comes from other people brings its own tests, or none.
    if !has_test && !subject.depends_on_upstream() {
        findings.file(subject.chart.path("templates/tests"), "there is no test for `helm test`");
    }
}

//! A chart is tried at its edges.

use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule = Rule::files(
    "edge-configurations",
    "the chart has values for its edges (everything on, everything off), and the playbook those of this repository",
    check,
)
.hinted("every switch on in ci/everything-values.yaml, every switch off in ci/nothing-values.yaml");

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    let wanted = [
        (&subject.chart, "ci/everything-values.yaml"),
        (&subject.chart, "ci/nothing-values.yaml"),
        (&subject.playbook, "values.yml"),
    ];
    for (files, path) in wanted {
        if !files.has(path) {
            findings.file(files.path(path), format!("there is no `{path}`"));
        }
    }
}

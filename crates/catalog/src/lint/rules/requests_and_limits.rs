//! Containers say what they need, and how much they may take.

use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule =
    Rule::policy("requests-and-limits", "every container requests CPU and memory, and has a limit of memory", check);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for (configuration, object, pod) in subject.pods() {
        for container in pod.containers() {
            for (part, resource) in [("requests", "cpu"), ("requests", "memory"), ("limits", "memory")] {
                if container["resources"][part][resource].is_null() {
                    let name = container["name"].as_str().unwrap_or_default();
                    findings.object(configuration, object, format!("container `{name}` has no {part} of {resource}"));
                }
            }
        }
    }
}

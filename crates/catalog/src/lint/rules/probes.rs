//! A server tells when it has started, when it can answer, and when it is stuck.

use crate::lint::findings::Findings;
use crate::lint::object::items;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule = Rule::policy(
    "probes",
    "the containers of every Deployment, StatefulSet and DaemonSet have a startup, a readiness and a liveness probe",
    check,
);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for (configuration, object, pod) in subject.pods().filter(|(_, object, _)| object.serves()) {
        for container in items(&pod.spec["containers"]) {
            for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
                if container[probe].is_null() {
                    let name = container["name"].as_str().unwrap_or_default();
                    findings.object(configuration, object, format!("container `{name}` has no {probe}"));
                }
            }
        }
    }
}

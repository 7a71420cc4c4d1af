//! What selects pods finds those that it means.

use crate::lint::findings::Findings;
use crate::lint::object::selects;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule = Rule::manifests(
    "selectors",
    "the selector of every workload, Service and PodDisruptionBudget finds the pods of exactly one workload, a workload's its own",
    check,
);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for configuration in subject.each() {
        let pods: Vec<_> = configuration.own().filter_map(|object| Some((object, object.pod()?))).collect();
        for object in configuration.own() {
            let selector = match object.kind() {
                "Service" => &object.value["spec"]["selector"],
                "PodDisruptionBudget" => &object.value["spec"]["selector"]["matchLabels"],
                _ if object.serves() => &object.value["spec"]["selector"]["matchLabels"],
                _ => continue,
            };
            // A Service without one leads to addresses that something else writes.
            if object.kind() == "Service" && (selector.is_null() || object.value["spec"]["type"] == "ExternalName") {
                continue;
            }
            let found: Vec<_> =
                pods.iter().filter(|(_, pod)| selects(selector, pod.labels)).map(|(pod, _)| pod.to_string()).collect();
            let is_own = !object.serves() || found == [object.to_string()];
            if found.len() != 1 || !is_own {
                let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
                findings.object(configuration, object, format!("its selector finds {found}"));
            }
        }
    }
}

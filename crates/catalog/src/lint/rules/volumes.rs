//! Volumes and mounts belong together.

use crate::lint::findings::Findings;
use crate::lint::object::items;
use crate::lint::{Rule, Subject};
use std::collections::BTreeSet;

pub(crate) const RULE: Rule =
    Rule::manifests("volumes", "every volume that is mounted exists, and every volume is mounted", check);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for (configuration, object, pod) in subject.pods() {
        let claims =
            items(&object.value["spec"]["volumeClaimTemplates"]).filter_map(|claim| claim["metadata"]["name"].as_str());
        let volumes = items(&pod.spec["volumes"]).filter_map(|volume| volume["name"].as_str());
        let volumes: BTreeSet<_> = volumes.chain(claims).collect();
        let mounts = |key: &'static str| {
            pod.containers()
                .flat_map(move |container| items(&container[key]))
                .filter_map(|mount| mount["name"].as_str())
        };
        let mounts: BTreeSet<_> = mounts("volumeMounts").chain(mounts("volumeDevices")).collect();
        for mount in mounts.difference(&volumes) {
            findings.object(configuration, object, format!("`{mount}` is mounted, but no volume"));
        }
        for volume in volumes.difference(&mounts) {
            findings.object(configuration, object, format!("volume `{volume}` is mounted nowhere"));
        }
    }
}

//! Nothing of the node's disk is mounted. <https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline>

use crate::lint::findings::Findings;
use crate::lint::object::items;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule = Rule::policy("host-paths", "pods mount no folder of their node", check);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for (configuration, object, pod) in subject.pods() {
        for path in items(&pod.spec["volumes"]).filter_map(|volume| volume["hostPath"]["path"].as_str()) {
            findings.object(configuration, object, format!("`{path}` of the node is mounted"));
        }
    }
}

//! Programs have none of root's capabilities. <https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted>

use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};
use serde_json::json;

pub(crate) const RULE: Rule =
    Rule::policy("capabilities", "every container drops all capabilities and adds none", check);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for (configuration, object, pod) in subject.pods() {
        for container in pod.containers() {
            let name = container["name"].as_str().unwrap_or_default();
            let capabilities = &container["securityContext"]["capabilities"];
            if capabilities["drop"] != json!(["ALL"]) {
                findings.object(configuration, object, format!("container `{name}` does not drop all capabilities"));
            }
            if capabilities["add"].as_array().is_some_and(|added| !added.is_empty()) {
                findings.object(configuration, object, format!("container `{name}` adds {}", capabilities["add"]));
            }
        }
    }
}

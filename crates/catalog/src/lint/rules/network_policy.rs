//! Who may talk to whom is said for every pod.

use crate::lint::findings::Findings;
use crate::lint::object::selects;
use crate::lint::{Rule, Subject};
use serde_json::json;

pub(crate) const RULE: Rule = Rule::policy(
    "network-policy",
    "by default a NetworkPolicy covers every pod, and says what may come in and what may go out",
    check,
);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for configuration in subject.deployed() {
        let policies: Vec<_> = configuration.own().filter(|object| object.kind() == "NetworkPolicy").collect();
        for object in configuration.own() {
            let Some(pod) = object.pod() else { continue };
            let covers = |labels| {
                policies.iter().any(|policy| selects(&policy.value["spec"]["podSelector"]["matchLabels"], labels))
            };
            if pod.spec["hostNetwork"] == true {
                findings.object(configuration, object, "no policy reaches pods in the node's network");
            } else if !covers(pod.labels) {
                findings.object(configuration, object, "no policy covers its pods");
            }
        }
        for policy in policies {
            if policy.value["spec"]["policyTypes"] != json!(["Ingress", "Egress"]) {
                findings.object(configuration, policy, "it says nothing of one direction");
            }
        }
    }
}

//! Programs gain no rights. <https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted>

use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule =
    Rule::policy("privilege-escalation", "no container is privileged, and none can gain privileges", check);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for (configuration, object, pod) in subject.pods() {
        for container in pod.containers() {
            let name = container["name"].as_str().unwrap_or_default();
            let security = &container["securityContext"];
            if security["privileged"] == true {
                findings.object(configuration, object, format!("container `{name}` is privileged"));
            } else if security["allowPrivilegeEscalation"] != false {
                findings.object(configuration, object, format!("container `{name}` can gain privileges"));
            }
        }
    }
}

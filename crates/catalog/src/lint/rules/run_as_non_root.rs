//! Nothing runs as root. <https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted>

use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule = Rule::policy("run-as-non-root", "pods run as a user that is not root, by number", check);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for (configuration, object, pod) in subject.pods() {
        let security = &pod.spec["securityContext"];
        if security["runAsNonRoot"] != true {
            findings.object(configuration, object, "`runAsNonRoot` is not true");
        }
        if security["runAsUser"].as_i64().is_none_or(|user| user <= 0) {
            findings.object(configuration, object, "`runAsUser` is not above 0");
        }
        for container in pod.containers() {
            let security = &container["securityContext"];
            let root = security["runAsUser"].as_i64().is_some_and(|user| user <= 0);
            if root || security["runAsNonRoot"] == false {
                let name = container["name"].as_str().unwrap_or_default();
                findings.object(configuration, object, format!("container `{name}` runs as root"));
            }
        }
    }
}

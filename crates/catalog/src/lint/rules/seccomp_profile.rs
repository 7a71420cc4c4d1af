//! System calls are filtered. <https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted>

use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule =
    Rule::policy("seccomp-profile", "pods have the seccomp profile RuntimeDefault, and no container another", check);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for (configuration, object, pod) in subject.pods() {
        if pod.spec["securityContext"]["seccompProfile"]["type"] != "RuntimeDefault" {
            findings.object(configuration, object, "the pod's seccomp profile is not RuntimeDefault");
        }
        for container in pod.containers() {
            if container["securityContext"]["seccompProfile"]["type"] == "Unconfined" {
                let name = container["name"].as_str().unwrap_or_default();
                findings.object(configuration, object, format!("container `{name}` is unconfined"));
            }
        }
    }
}

//! Pods keep to themselves. <https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline>

use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule =
    Rule::policy("host-namespaces", "pods do not share network, processes or IPC with their node", check);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for (configuration, object, pod) in subject.pods() {
        for key in ["hostNetwork", "hostPID", "hostIPC"] {
            if pod.spec[key] == true {
                findings.object(configuration, object, format!("`{key}` is true"));
            }
        }
    }
}

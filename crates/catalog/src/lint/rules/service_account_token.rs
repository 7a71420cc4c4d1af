//! Who does not ask the Kubernetes API gets no token for it.

use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule =
    Rule::policy("service-account-token", "pods do not mount the token of their service account", check);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for (configuration, object, pod) in subject.pods() {
        if pod.spec["automountServiceAccountToken"] != false {
            findings.object(configuration, object, "the service account's token is mounted");
        }
    }
}

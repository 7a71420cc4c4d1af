//! Programs can't change their own image.

use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule =
    Rule::policy("read-only-root", "the root file system of every container is read-only", check);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for (configuration, object, pod) in subject.pods() {
        for container in pod.containers().filter(|one| one["securityContext"]["readOnlyRootFilesystem"] != true) {
            let name = container["name"].as_str().unwrap_or_default();
            findings.object(configuration, object, format!("the root file system of container `{name}` is writable"));
        }
    }
}

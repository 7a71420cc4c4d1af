//! Lists that server-side apply, and so Helm 4, keys by name hold each name once: twice is an error there.
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy>

use crate::lint::findings::Findings;
use crate::lint::object::items;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule =
    Rule::manifests("unique-names", "variables, ports and mounts of a container stand once", check);

const LISTS: [(&str, &str); 3] = [("env", "name"), ("ports", "name"), ("volumeMounts", "mountPath")];

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for (configuration, object, pod) in subject.pods() {
        for container in pod.containers() {
            for (list, key) in LISTS {
                let mut names: Vec<_> = items(&container[list]).filter_map(|item| item[key].as_str()).collect();
                names.sort_unstable();
                for twice in names.windows(2).filter(|pair| pair[0] == pair[1]) {
                    findings.object(configuration, object, format!("`{}` stands twice in {list}", twice[0]));
                }
            }
        }
    }
}

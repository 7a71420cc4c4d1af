//! Services live side by side: what one installs, no other does. Helm refuses an object that another release has.
//! <https://helm.sh/docs/faq/changes_since_helm2/#release-names-are-now-scoped-to-the-namespace>

use crate::lint::{Configuration, Finding, Object, Subject};
use std::collections::BTreeMap;

/// The rule's name.
pub const OBJECT_NAMES: &str = "object-names";

/// Kinds that no namespace holds: <https://kubernetes.io/docs/reference/kubernetes-api/>.
const OF_THE_CLUSTER: [&str; 13] = [
    "APIService",
    "ClusterRole",
    "ClusterRoleBinding",
    "CSIDriver",
    "CustomResourceDefinition",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "PersistentVolume",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "ValidatingWebhookConfiguration",
];

/// What tells an object from all others: group, kind, namespace and name.
type Identity<'a> = (&'a str, &'a str, &'a str, &'a str);

/// For each of these services, the objects that one before it installs too, as this repository deploys both.
pub fn object_names(subjects: &[Subject]) -> Vec<Vec<Finding>> {
    let mut owners: BTreeMap<Identity<'_>, &Subject> = BTreeMap::new();
    let mut of_each = Vec::new();
    for subject in subjects {
        let mut findings = Vec::new();
        for (configuration, object) in installed(subject) {
            let identity = identity(object, subject);
            let owner = *owners.entry(identity).or_insert(subject);
            if owner.service.name != subject.service.name {
                findings.push(finding(subject, owner, configuration, object));
            }
        }
        of_each.push(findings);
    }
    of_each
}

/// What `cluster deploy` installs: the last of the configurations that people get, `values.yml` where there is one.
fn installed(subject: &Subject) -> impl Iterator<Item = (&Configuration, &Object)> {
    let configuration = subject.deployed().last();
    configuration
        .into_iter()
        .flat_map(|configuration| configuration.objects.iter().map(move |one| (configuration, one)))
}

fn identity<'a>(object: &'a Object, subject: &'a Subject) -> Identity<'a> {
    let group =
        object.value["apiVersion"].as_str().and_then(|version| version.split_once('/')).map_or("", |(group, _)| group);
    let own = object.value["metadata"]["namespace"].as_str().unwrap_or(&subject.service.namespace);
    let namespace = if OF_THE_CLUSTER.contains(&object.kind()) { "" } else { own };
    (group, object.kind(), namespace, object.name())
}

fn finding(subject: &Subject, owner: &Subject, configuration: &Configuration, object: &Object) -> Finding {
    let message = format!("{} installs it too", owner.service.name);
    let finding = Finding::new(OBJECT_NAMES, subject.service.name.as_str(), message)
        .of(subject.workload(configuration, object), &configuration.name)
        .hinted(
            "give one of the two another name or namespace: `release` or `namespace` in its service.yml and build.yml",
        );
    match subject.template(object) {
        Some(file) => finding.in_file(file),
        None => finding,
    }
}

//! Claims leave the class to the cluster, unless somebody chooses one.

use crate::lint::findings::Findings;
use crate::lint::object::items;
use crate::lint::{Rule, Subject};
use crate::tree::Node;

pub(crate) const RULE: Rule = Rule::manifests(
    "storage-class",
    "claims take the cluster's default class by default, and a value storageClass chooses another",
    check,
);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    let path = subject.chart.path("values.yaml");
    let values = subject.chart.text("values.yaml").and_then(|text| Node::parse(text, &path).ok());
    let is_configurable = values.is_some_and(|values| has_class(&values));
    for configuration in subject.deployed() {
        for object in configuration.own() {
            let templates = items(&object.value["spec"]["volumeClaimTemplates"]).map(|claim| &claim["spec"]);
            let own = (object.kind() == "PersistentVolumeClaim").then_some(&object.value["spec"]);
            for claim in own.into_iter().chain(templates) {
                if let Some(class) = claim["storageClassName"].as_str().filter(|_| configuration.name == "default") {
                    findings.object(configuration, object, format!("class `{class}` is taken by default"));
                }
                if !is_configurable {
                    findings.object(configuration, object, "no value `storageClass` chooses its class");
                }
            }
        }
    }
}

fn has_class(node: &Node) -> bool {
    node.entries().iter().any(|(key, value)| key.name == "storageClass" || has_class(value))
}

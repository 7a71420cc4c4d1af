//! Images run on the processors that a service is scheduled to, and `service.yml` says which those are.

use crate::Architecture;
use crate::lint::findings::Findings;
use crate::lint::object::{Pod, items};
use crate::lint::{Image, Images};
use crate::lint::{Rule, Subject};
use serde_json::Value;
use std::collections::BTreeSet;

pub(crate) const RULE: Rule = Rule::policy(
    "architectures",
    "every image is listed in build/images.yml, service.yml names exactly the processors that all of them exist for, and no pod can \
     land on another",
    check,
);

const ALL: [Architecture; 2] = [Architecture::Amd64, Architecture::Arm64];

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    let mut covered: BTreeSet<Architecture> = ALL.into();
    let (mut is_complete, mut has_pods) = (true, false);
    for configuration in subject.deployed() {
        // What other people's charts run counts as well.
        for object in &configuration.objects {
            let Some(pod) = object.pod() else { continue };
            for container in pod.containers() {
                has_pods = true;
                let name = container["image"].as_str().unwrap_or_default();
                let Some(facts) = subject.images.get(&Image::parse(name)) else {
                    is_complete = false;
                    let message = format!("image `{name}` is not listed in `{}`", Images::PATH);
                    findings.object(configuration, object, message);
                    continue;
                };
                covered.retain(|architecture| facts.architectures.contains(architecture));
                for architecture in scheduled(pod).into_iter().filter(|one| !facts.architectures.contains(one)) {
                    let message =
                        format!("it can be scheduled to {architecture}, for which image `{name}` does not exist");
                    findings.object(configuration, object, message);
                }
            }
        }
    }
    let listed: BTreeSet<_> = subject.service.architectures.iter().copied().collect();
    if has_pods && is_complete && listed != covered {
        let list = |set: &BTreeSet<Architecture>| set.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let (message, hint) = (
            format!("the images exist for {}, and `service.yml` says {}", list(&covered), list(&listed)),
            format!("write `architectures: [{}]`", list(&covered)),
        );
        findings.at_hinted(&subject.service_key("architectures"), message, Some(hint));
    }
}

/// The processors of the nodes that can take a pod, as its node selector and its required affinity say.
fn scheduled(pod: Pod<'_>) -> BTreeSet<Architecture> {
    let mut left: BTreeSet<Architecture> = ALL.into();
    if let Some(wanted) = pod.spec["nodeSelector"]["kubernetes.io/arch"].as_str() {
        left.retain(|architecture| architecture.to_string() == wanted);
    }
    let affinity = &pod.spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    let terms: Vec<_> = items(&affinity["nodeSelectorTerms"]).collect();
    if !terms.is_empty() {
        left.retain(|architecture| terms.iter().any(|term| takes(term, *architecture)));
    }
    left
}

/// Whether a term leaves nodes of the architecture; all its expressions have to hold.
fn takes(term: &Value, architecture: Architecture) -> bool {
    let name = architecture.to_string();
    items(&term["matchExpressions"]).filter(|expression| expression["key"] == "kubernetes.io/arch").all(|expression| {
        let listed = items(&expression["values"]).any(|value| value == name.as_str());
        match expression["operator"].as_str() {
            Some("In") => listed,
            Some("NotIn") => !listed,
            Some("DoesNotExist") => false,
            _ => true,
        }
    })
}

//! A service is found under its own name.

use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule = Rule::manifests(
    "service-name",
    "where a chart has Services, one is called as the release: others ask for the service by its name",
    check,
);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    let release = subject.service.release_name();
    for configuration in subject.deployed() {
        let services: Vec<_> = configuration.objects.iter().filter(|object| object.kind() == "Service").collect();
        let Some(first) = services.first() else { continue };
        let is_there = |object: &&crate::lint::Object| configuration.usual_name(object.name(), &release) == release;
        if !services.iter().any(is_there) && !first.is_upstream() {
            findings.object(configuration, first, format!("no Service is called `{release}`"));
        }
    }
}

//! Two releases of a chart live in one namespace.

use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule = Rule::policy("shared-names", "a release of another name has no object in common", check);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    let second: Vec<_> = subject.second().iter().map(ToString::to_string).collect();
    for configuration in subject.each().iter().filter(|configuration| configuration.name == "default") {
        for object in configuration.own().filter(|object| second.contains(&object.to_string())) {
            findings.object(configuration, object, "a second release has it too");
        }
    }
}

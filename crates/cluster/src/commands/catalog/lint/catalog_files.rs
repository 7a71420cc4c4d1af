//! The catalogue as a whole: it is checked when it is read, by the `catalog` crate.

use super::rule::Described;
use catalog::lint::Finding;
use diagnostic::Mistakes;

pub(super) const RULE: Described = Described::new(
    "catalog",
    "every service.yml fits its schema, playbook and chart are there, names and releases are unique, requirements have no cycle",
);

/// The mistakes of the files, each at its place.
pub(super) fn findings(mistakes: &Mistakes) -> Vec<Finding> {
    let finding = |mistake: &diagnostic::Mistake| {
        let service = mistake.position.as_ref().and_then(|position| service_of(&position.file)).unwrap_or("catalog");
        let finding = Finding::new(RULE.rule, service, mistake.message.clone());
        let finding = match &mistake.position {
            Some(position) => finding.at(position),
            None => finding,
        };
        match &mistake.hint {
            Some(hint) => finding.hinted(hint.clone()),
            None => finding,
        }
    };
    mistakes.iter().map(finding).collect()
}

/// The service whose folder a file lies in.
pub(super) fn service_of(path: &str) -> Option<&str> {
    ["build/playbooks/", "build/charts/"]
        .iter()
        .find_map(|folder| path.split_once(folder)?.1.split_once('/'))
        .map(|(service, _)| service)
}

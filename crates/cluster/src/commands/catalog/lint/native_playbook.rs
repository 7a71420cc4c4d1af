//! The playbook, as the native engine checks it before a run.

use super::rule::Described;
use catalog::lint::{Finding, Subject};
use diagnostic::Mistake;
use playbook::{Playbook, Sources};

pub(super) const RULE: Described = Described::new(
    "playbook-native",
    "the native engine finds nothing wrong in build.yml, and nothing that it does not know",
);

/// Everything that is wrong, odd or unknown.
pub(super) fn findings(subject: &Subject) -> Vec<Finding> {
    let playbook = match Playbook::load(&subject.service.playbook(), &Sources::default()) {
        Ok(playbook) => playbook,
        Err(mistakes) => return mistakes.into_iter().map(|mistake| finding(subject, &mistake)).collect(),
    };
    let report = playbook::check(&playbook);
    let warnings = playbook.warnings.iter().chain(&report.warnings);
    let mistakes = report.mistakes.iter().chain(report.unsupported.iter()).chain(warnings);
    mistakes.map(|mistake| finding(subject, mistake)).collect()
}

fn finding(subject: &Subject, mistake: &Mistake) -> Finding {
    let finding = Finding::new(RULE.rule, subject.service.name.as_str(), mistake.message.clone());
    let finding = match &mistake.position {
        Some(position) => finding.at(position),
        None => finding.in_file(subject.service.playbook()),
    };
    match &mistake.hint {
        Some(hint) => finding.hinted(hint.clone()),
        None => finding,
    }
}

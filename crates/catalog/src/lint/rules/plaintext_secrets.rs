//! No secret stands in plain text in a service's files: what `cluster vault status` finds in the whole repository.

use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule = Rule::files(
    "plaintext-secrets",
    "no file of playbook and chart holds a password, token or private key in plain text",
    check,
);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for files in [&subject.playbook, &subject.chart] {
        for path in files.paths().filter(|path| !is_left_to_another(path)) {
            let Some(text) = files.text(path) else { continue };
            for found in vault::scan::scan(&files.path(path), text) {
                findings.at_hinted(&found.position, found.what, Some(found.hint));
            }
        }
    }
}

/// Default values may not even hold what is no real password (`default-passwords`), and of encrypted files the whole is asked
/// (`encrypted-files`).
fn is_left_to_another(path: &str) -> bool {
    path == "values.yaml" || path == "values.yml" || path.ends_with(".enc")
}

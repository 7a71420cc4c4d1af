//! What is called encrypted is.

use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule =
    Rule::files("encrypted-files", "cfg.enc and every other *.enc file are really encrypted with Ansible Vault", check);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for files in [&subject.playbook, &subject.chart] {
        for path in files.paths().filter(|path| path.ends_with(".enc")) {
            let Err(error) = vault::Envelope::parse(files.bytes(path).unwrap_or_default()) else { continue };
            let place = diagnostic::Position::new(files.path(path), 1, 1);
            let hint = format!(
                "run `cluster vault encrypt {}`; if it was ever committed, change what stands in it",
                files.path(path)
            );
            findings.at_hinted(&place, format!("`{path}` is not encrypted: {error}"), Some(hint));
        }
    }
}

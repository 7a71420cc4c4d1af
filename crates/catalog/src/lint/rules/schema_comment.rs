//! Editors find the schema of `service.yml`. That the file fits it, the catalogue checks when it is read.

use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule =
    Rule::files("schema-comment", "the first line of service.yml names its schema, so that editors check it", check);

const LINE: &str = "# yaml-language-server: $schema=../../../docs/reference/service.schema.json";

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    let text = subject.playbook.text("service.yml").unwrap_or_default();
    if text.lines().next() != Some(LINE) {
        let place = diagnostic::Position::new(subject.playbook.path("service.yml"), 1, 1);
        findings.at_hinted(&place, "the first line does not name the schema", Some(format!("write `{LINE}`")));
    }
}

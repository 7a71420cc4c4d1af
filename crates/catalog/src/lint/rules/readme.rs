//! Playbook and chart have a README.

use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule =
    Rule::files("readme", "playbook and chart have a README.md that begins with a title", check)
        .hinted("write what the service is for, how it is deployed, and what can go wrong");

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for files in [&subject.playbook, &subject.chart] {
        match files.text("README.md") {
            None => findings.file(files.path("README.md"), "there is no `README.md`"),
            Some(text) if !text.starts_with("# ") || text.trim().lines().count() < 3 => {
                findings.file(files.path("README.md"), "`README.md` says nothing: a title and a text are wanted");
            }
            Some(_) => {}
        }
    }
}

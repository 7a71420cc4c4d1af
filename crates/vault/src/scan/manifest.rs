//! Kubernetes Secrets with their data, whatever its keys are called.

use super::finding::{Hit, Kind};
use super::lines::{Lines, indent};
use super::values;

pub(super) fn hits(lines: &Lines<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut document = Vec::new();
    for number in 0..lines.count() {
        if lines.get(number).starts_with("---") {
            in_document(lines, &document, &mut hits);
            document.clear();
        } else {
            document.push(number);
        }
    }
    in_document(lines, &document, &mut hits);
    hits
}

fn in_document(lines: &Lines<'_>, document: &[usize], hits: &mut Vec<Hit>) {
    if !document.iter().any(|line| lines.get(*line).trim_end() == "kind: Secret") {
        return;
    }
    let mut is_data = false;
    for number in document {
        let line = lines.get(*number);
        if indent(line) == 0 && !line.is_empty() && !line.starts_with('#') {
            is_data = matches!(line.trim_end(), "data:" | "stringData:");
            continue;
        }
        let Some((key, value)) = line.split_once(": ").filter(|_| is_data && !line.trim_start().starts_with('#'))
        else {
            continue;
        };
        let value = value.trim();
        let bare = value.trim_matches(['"', '\'']);
        // The name of the key says nothing here, so the value is taken for a password.
        if values::is_secret("password", bare) {
            let at = lines.start(*number) + line.len() - value.len();
            let what = format!("data of a Secret under `{}`", key.trim());
            hits.push(Hit::new(Kind::Manifest, at..at + value.len(), what));
        }
    }
}

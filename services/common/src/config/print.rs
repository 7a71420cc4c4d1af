//! `--print-config`: every variable with its comment, as a file of assignments.

use super::environment::Documented;
use std::fmt::Write;

/// What is set or must be set stands as an assignment, the rest as a comment with its default.
pub(super) fn commented(variables: &[Documented]) -> String {
    let mut text = String::new();
    let mut section = "";
    for variable in variables {
        if !text.is_empty() {
            text.push('\n');
        }
        if variable.section != section {
            section = variable.section;
            let _ = write!(text, "# {section}\n\n");
        }
        let _ = writeln!(text, "# {}{}.{}", capitalised(variable.about), nature(variable), file_hint(variable));
        let _ = match (&variable.value, &variable.default) {
            (Some(value), _) => writeln!(text, "{}={}", variable.name, quoted(value)),
            (None, _) if variable.required => writeln!(text, "{}=", variable.name),
            (None, Some(default)) => writeln!(text, "# {}={}", variable.name, quoted(default)),
            (None, None) => writeln!(text, "# {}=", variable.name),
        };
    }
    text
}

fn nature(variable: &Documented) -> String {
    match (&variable.default, variable.required) {
        (_, true) => format!(" ({}, required)", variable.kind),
        (Some(default), false) if !default.is_empty() => format!(" ({}, default {default})", variable.kind),
        _ => format!(" ({}, optional)", variable.kind),
    }
}

fn file_hint(variable: &Documented) -> String {
    if variable.secret { format!(" {}_FILE names a file that holds it.", variable.name) } else { String::new() }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "*_-./:@%+,=".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', "'\\''"))
    }
}

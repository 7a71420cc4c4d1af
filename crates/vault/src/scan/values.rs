//! Whether what stands under a name that says `password` is a secret, or a placeholder, a reference, a switch, prose.

use super::keys::{may_name_an_object, names_a_password, names_a_secret};
use regex::Regex;
use std::sync::LazyLock;

/// What people write where a secret belongs, or what describes one. Well-known passwords are for other rules: nobody learns them here.
const WORDS: [&str; 52] = [
    "",
    "-",
    "_",
    "~",
    "...",
    "…",
    "admin",
    "always",
    "ask",
    "auto",
    "bearer",
    "bool",
    "boolean",
    "changeit",
    "default",
    "disabled",
    "dummy",
    "empty",
    "enabled",
    "env",
    "example",
    "false",
    "foo",
    "hidden",
    "n/a",
    "never",
    "nil",
    "no",
    "none",
    "null",
    "off",
    "omit",
    "on",
    "optional",
    "placeholder",
    "prompt",
    "redacted",
    "required",
    "sample",
    "str",
    "string",
    "tbd",
    "test",
    "todo",
    "true",
    "undefined",
    "unset",
    "x",
    "yes",
    "object",
    "generated",
    "random",
];

/// What placeholders begin with, in small letters.
const PLACEHOLDERS: [&str; 11] =
    ["change", "replace", "insert", "enter", "your", "my-secret", "xxx", "<", "example", "placeholder", "todo"];

/// What points at a value that is kept elsewhere.
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        // $NAME, ${NAME}, $(command), $6$hash, %NAME%, %(name)s, @file, &anchor, *alias, ^pattern, {name}, [list], (group)
        r"^[$%@&*^{\[(!]",
        // Absolute, at home, beside; and relative ones that end like files.
        r"|^(?:/|\./|\.\./|~/)[\w./-]*$|^[\w.-]+(?:/[\w.-]+)+\.[a-z0-9]{1,6}$",
        // Where a program is to look.
        r"|^(?:env|file|op|vault|ref|aws|gcp|ssm|sops|https?|secret|data|k8s)(?:\+\w+)?:",
        // Versions, small numbers, sizes, times.
        r"|^v?\d+(?:\.\d+)+$|^\d{1,3}$|^\d+(?:ms|[smhdkKMGT]i?)$",
    ))
    .expect("it is fixed")
});

/// Whether a value under this name is a secret in plain text.
pub(super) fn is_secret(key: &str, value: &str) -> bool {
    let value = value.trim();
    let small = value.to_lowercase();
    let is_made = ["{{", "}}", "{%", "${", "$(", "<%", "<<"].iter().any(|sign| value.contains(sign));
    if is_made || is_call(value) || REFERENCE.is_match(value) || WORDS.contains(&small.as_str()) {
        return false;
    }
    if PLACEHOLDERS.iter().any(|start| small.starts_with(start)) || is_row(value) || is_prose(key, value) {
        return false;
    }
    // The name of a variable, or of a key in a Secret.
    if names_a_secret(value) && !value.contains(char::is_whitespace) {
        return false;
    }
    let is_word = value.chars().all(|character| character.is_alphabetic() || "-_.".contains(character));
    if may_name_an_object(key) && (is_word || is_object_name(value)) {
        return false;
    }
    // Nobody gives out a token that is a word, and people do choose such passwords.
    !(is_word && value.len() < 16 && !names_a_password(key))
}

/// `lookup('file', 'x')`, `os.environ["X"]`
fn is_call(value: &str) -> bool {
    let name = value.find(['(', '[']).map(|at| &value[..at]);
    name.is_some_and(|name| {
        !name.is_empty()
            && value.ends_with([')', ']'])
            && name.chars().all(|sign| sign.is_alphanumeric() || "._".contains(sign))
    })
}

/// `xxxx`, `****`, `------`
fn is_row(value: &str) -> bool {
    let mut signs = value.chars();
    let first = signs.next();
    signs.all(|sign| Some(sign) == first)
}

/// A sentence on the secret. A passphrase has spaces too, but is no sentence.
fn is_prose(key: &str, value: &str) -> bool {
    let words = value.split_whitespace().count();
    words > 1 && (!names_a_password(key) || words > 6 || value.ends_with(['.', ':', '?', ',']) || value.contains('`'))
}

/// A Kubernetes object's name, such as people choose it: `mercure-tls`.
fn is_object_name(value: &str) -> bool {
    let is_label = |part: &str| {
        !part.is_empty() && part.len() < 20 && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    value.contains('-') && value.split('-').all(is_label)
}

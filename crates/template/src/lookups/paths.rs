//! Where relative paths of lookups and includes are sought: beside the template, then in each directory of the search
//! path, `files/` or `templates/` first.

use crate::eval::Session;
use std::path::{Path, PathBuf};

/// The first existing path. `kind` is `files` or `templates`.
pub(crate) fn find(session: &Session, kind: &str, name: &str) -> Option<PathBuf> {
    candidates(session, kind, name).into_iter().find(|path| path.exists())
}

/// All places in which a path is sought, in order.
pub(crate) fn candidates(session: &Session, kind: &str, name: &str) -> Vec<PathBuf> {
    let name = expand_home(name);
    if name.is_absolute() {
        return vec![name];
    }
    let mut candidates: Vec<PathBuf> = session.directory().map(|directory| directory.join(&name)).into_iter().collect();
    for directory in session.engine().search_path() {
        candidates.push(directory.join(kind).join(&name));
        candidates.push(directory.join(&name));
    }
    if candidates.is_empty() {
        candidates.push(name);
    }
    candidates
}

fn expand_home(name: &str) -> PathBuf {
    match (name.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(name),
    }
}

/// The regular files that match a pattern whose last parts may hold `*`, `?` and `[…]`, sorted.
pub(crate) fn glob(pattern: &str) -> Vec<String> {
    let (start, rest) = match pattern.strip_prefix('/') {
        Some(rest) => (PathBuf::from("/"), rest),
        None => (PathBuf::new(), pattern),
    };
    let mut found = vec![start];
    for part in rest.split('/').filter(|part| !part.is_empty()) {
        found = found.into_iter().flat_map(|directory| step(&directory, part)).collect();
    }
    let mut files: Vec<String> =
        found.into_iter().filter(|path| path.is_file()).map(|path| path.display().to_string()).collect();
    files.sort();
    files
}

fn step(directory: &Path, part: &str) -> Vec<PathBuf> {
    if !part.contains(['*', '?', '[']) {
        return vec![directory.join(part)];
    }
    let here = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let entries = std::fs::read_dir(here).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter(|name| (part.starts_with('.') || !name.starts_with('.')) && matches(part, name))
        .map(|name| directory.join(name))
        .collect()
}

/// Python's `fnmatch` for one part of a path.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let mut translated = String::from("(?s)\\A");
    let mut rest = pattern.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '*' => translated.push_str(".*"),
            '?' => translated.push('.'),
            '[' if rest.clone().skip(1).any(|c| c == ']') => {
                translated.push('[');
                if rest.peek() == Some(&'!') {
                    rest.next();
                    translated.push('^');
                }
                for inner in rest.by_ref() {
                    if matches!(inner, '\\' | '[' | '&' | '~') {
                        translated.push('\\');
                    }
                    translated.push(inner);
                    if inner == ']' {
                        break;
                    }
                }
            }
            other => {
                if !other.is_alphanumeric() && other != '_' {
                    translated.push('\\');
                }
                translated.push(other);
            }
        }
    }
    translated.push_str("\\z");
    let regex = crate::regex::compile(&translated, crate::regex::Flags::default());
    regex.is_ok_and(|regex| regex.is_match(name).unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("*.yml", "a.yml", true)]
    #[case("*.yml", "a.yaml", false)]
    #[case("a?c", "abc", true)]
    #[case("[ab]x", "bx", true)]
    #[case("[!ab]x", "bx", false)]
    #[case("a.b", "axb", false)]
    fn patterns_match_as_in_the_shell(#[case] pattern: &str, #[case] name: &str, #[case] expected: bool) {
        assert_eq!(matches(pattern, name), expected);
    }
}

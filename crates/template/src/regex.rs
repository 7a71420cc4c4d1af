//! Python's regular expressions on fancy-regex: patterns and replacements translated, compiled once.

use crate::error::Error;
use fancy_regex::{Captures, Regex, RegexBuilder};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

/// How a pattern is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Flags {
    pub(crate) ignore_case: bool,
    pub(crate) multiline: bool,
}

/// Playbooks have few patterns, loops use them often.
static COMPILED: LazyLock<Mutex<Compiled>> = LazyLock::new(Mutex::default);
type Compiled = HashMap<(String, Flags), Arc<Regex>>;
const MOST_COMPILED: usize = 512;

/// The compiled pattern.
pub(crate) fn compile(pattern: &str, flags: Flags) -> Result<Arc<Regex>, Error> {
    let key = (pattern.to_owned(), flags);
    let mut compiled = COMPILED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(regex) = compiled.get(&key) {
        return Ok(regex.clone());
    }
    let regex = RegexBuilder::new(&translate(pattern, flags.multiline))
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multiline)
        .build()
        .map_err(|error| Error::operation(format!("invalid regular expression `{pattern}`: {error}")))?;
    let regex = Arc::new(regex);
    if compiled.len() >= MOST_COMPILED {
        compiled.clear();
    }
    compiled.insert(key, regex.clone());
    Ok(regex)
}

/// What Python writes otherwise: `\Z` is the very end; `$` also matches before a last newline; `(?<n>` is `(?P<n>`;
/// braces that are no repetition and brackets inside a class are literal.
fn translate(pattern: &str, multiline: bool) -> String {
    let characters: Vec<char> = pattern.chars().collect();
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut in_class = false;
    // With `(?m)` inside the pattern `$` means something else, and is left alone.
    let whole_end = !multiline && !pattern.contains("(?");
    let mut index = 0;
    while let Some(character) = characters.get(index).copied() {
        let next = characters.get(index + 1).copied();
        match character {
            '\\' => {
                match next {
                    Some('Z') => out.push_str("\\z"),
                    // Escapes of ordinary characters mean themselves in Python.
                    Some(c) if is_needless_escape(c) => out.push(c),
                    Some(c) => {
                        out.push('\\');
                        out.push(c);
                    }
                    None => out.push('\\'),
                }
                index += 2;
                continue;
            }
            '[' if in_class => out.push_str("\\["),
            '[' => {
                in_class = true;
                out.push('[');
                if next == Some('^') {
                    out.push('^');
                    index += 1;
                }
                if characters.get(index + 1) == Some(&']') {
                    out.push_str("\\]");
                    index += 1;
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' | '-' if in_class && next == Some(character) => {
                out.push('\\');
                out.push(character);
            }
            '$' if !in_class && whole_end => out.push_str("(?=\\n?\\z)"),
            '{' if !in_class && !is_repetition(&characters[index..]) => out.push_str("\\{"),
            '}' if !in_class && !closes_repetition(&characters[..=index]) => out.push_str("\\}"),
            other => out.push(other),
        }
        index += 1;
    }
    out
}

fn is_needless_escape(character: char) -> bool {
    matches!(character, '/' | '"' | '\'' | '%' | '@' | ',' | ';' | ':' | '=' | '!' | '_' | '`' | '<' | '>' | ' ')
}

fn is_repetition(rest: &[char]) -> bool {
    let Some(end) = rest.iter().position(|c| *c == '}') else { return false };
    let inner = &rest[1..end];
    inner.first().is_some_and(|c| c.is_ascii_digit() || *c == ',')
        && inner.len() > usize::from(inner.first() == Some(&','))
        && inner.iter().all(|c| c.is_ascii_digit() || *c == ',')
}

fn closes_repetition(before: &[char]) -> bool {
    before.iter().rposition(|c| *c == '{').is_some_and(|start| {
        let escaped = start > 0 && before[start - 1] == '\\' && !(start > 1 && before[start - 2] == '\\');
        // `\p{…}` and `\x{…}` are not Python's, but harmless.
        !escaped && is_repetition(&before[start..])
    })
}

/// A replacement in Python's form: `\1`, `\g<1>`, `\g<name>`, `\n`, `\\`.
pub(crate) fn expand(replacement: &str, captures: &Captures<'_, str>) -> Result<String, Error> {
    let mut out = String::with_capacity(replacement.len());
    let mut rest = replacement;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(character) = rest.chars().next() else {
            return Err(Error::operation("bad escape (end of pattern) in the replacement"));
        };
        if let Some(name) = rest.strip_prefix("g<") {
            let (name, after) = name.split_once('>').ok_or_else(|| Error::operation("missing > in the replacement"))?;
            out.push_str(group(captures, name)?);
            rest = after;
            continue;
        }
        rest = &rest[character.len_utf8()..];
        match character {
            '0' => out.push('\0'),
            '1'..='9' => {
                let digits = 1 + usize::from(rest.starts_with(|c: char| c.is_ascii_digit()));
                let mut number = character.to_string();
                number.push_str(&rest[..digits - 1]);
                rest = &rest[digits - 1..];
                out.push_str(group(captures, &number)?);
            }
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'a' => out.push('\u{7}'),
            'f' => out.push('\u{c}'),
            'v' => out.push('\u{b}'),
            '\\' => out.push('\\'),
            letter if letter.is_ascii_alphabetic() => {
                return Err(Error::operation(format!("bad escape \\{letter} in the replacement")));
            }
            other => {
                out.push('\\');
                out.push(other);
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// The text of a group by number or name; one that took no part is empty.
pub(crate) fn group<'a>(captures: &'a Captures<'_, str>, name: &str) -> Result<&'a str, Error> {
    let found = match name.parse::<usize>() {
        Ok(number) if number < captures.len() => captures.get(number),
        Ok(number) => return Err(Error::operation(format!("invalid group reference {number}"))),
        Err(_) => match captures.name(name) {
            Some(found) => Some(found),
            None => return Err(Error::operation(format!("unknown group name '{name}'"))),
        },
    };
    Ok(found.map_or("", |found| found.as_str()))
}

/// An error while matching: look-around that goes back without end.
pub(crate) fn failed(error: fancy_regex::Error) -> Error {
    Error::operation(format!("the regular expression can't be matched: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("a{2}", "a{2}")]
    #[case("{{x}}", "\\{\\{x\\}\\}")]
    #[case("[[]", "[\\[]")]
    #[case("[]a]", "[\\]a]")]
    #[case("a\\Z", "a\\z")]
    #[case("\\/a", "/a")]
    fn python_patterns_are_translated(#[case] python: &str, #[case] expected: &str) {
        assert_eq!(translate(python, false), expected);
    }
}

//! Host patterns: `a:!b:&c`, `web*`, `~web\d`, `web[0]`, `web[1:]` (ansible-core 2.19, `inventory/manager.py`).

use crate::address;
use crate::graph::Graph;
use crate::variables::LOCALHOST;
use crate::{Error, HostName};
use indexmap::IndexSet;
use regex::Regex;
use std::sync::LazyLock;

static SEPARATED: LazyLock<Regex> = LazyLock::new(|| constant(r"(?:[^\s:\[\]]|\[[^\]]*\])+"));
static SUBSCRIPT: LazyLock<Regex> = LazyLock::new(|| constant(r"^(.+)\[(?:(-?[0-9]+)|([0-9]+)[:-]([0-9]*))\]$"));

fn constant(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern that the tests compile")
}

/// The single patterns of a whole one: separated by commas or, where there is none, by colons.
pub(crate) fn split(pattern: &str) -> Vec<String> {
    let parts: Vec<&str> = if pattern.contains(',') {
        pattern.split(',').collect()
    } else if address::parse(pattern).is_some() {
        vec![pattern]
    } else {
        SEPARATED.find_iter(pattern).map(|part| part.as_str()).collect()
    };
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// What patterns select.
#[derive(Debug, Default)]
pub(crate) struct Matched {
    pub hosts: IndexSet<HostName>,
    pub unmatched: Vec<Unmatched>,
}

/// A pattern, without its sign, that matches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unmatched {
    /// What names are compared with.
    pub name: String,
    /// `[1:4]` was taken off, since in patterns it numbers the hosts of a group.
    pub had_subscript: bool,
}

/// Evaluates single patterns: first those without a sign, then the intersections, then the exclusions.
pub(crate) fn evaluate(graph: &Graph, patterns: &[String]) -> Result<Matched, Error> {
    let with = |sign: fn(&str) -> bool| patterns.iter().map(String::as_str).filter(move |pattern| sign(pattern));
    let mut plain: Vec<&str> = with(|pattern| !pattern.starts_with(['&', '!']) && !pattern.is_empty()).collect();
    if plain.is_empty() {
        plain.push("all");
    }
    let mut matched = Matched::default();
    for pattern in plain {
        let hosts = matched.one(graph, pattern)?;
        matched.hosts.extend(hosts);
    }
    for pattern in with(|pattern| pattern.starts_with('&')) {
        let hosts = matched.one(graph, &pattern[1..])?;
        matched.hosts.retain(|host| hosts.contains(host));
    }
    for pattern in with(|pattern| pattern.starts_with('!')) {
        let hosts = matched.one(graph, &pattern[1..])?;
        matched.hosts.retain(|host| !hosts.contains(host));
    }
    Ok(matched)
}

impl Matched {
    /// The hosts of one pattern without its sign.
    fn one(&mut self, graph: &Graph, pattern: &str) -> Result<IndexSet<HostName>, Error> {
        if let Some((name, _)) = graph.hosts.get_key_value(pattern) {
            return Ok(IndexSet::from([name.clone()]));
        }
        if pattern.is_empty() {
            return Err(invalid(
                pattern,
                "nothing follows the sign",
                Some("write a name behind `!` or `&`".to_owned()),
            ));
        }
        let (expression, subscript) = subscript(pattern)?;
        let (hosts, any_group) = enumerate(graph, expression)?;
        if hosts.is_empty() && !any_group && expression != "all" {
            let unmatched = Unmatched { name: expression.to_owned(), had_subscript: subscript.is_some() };
            if !self.unmatched.contains(&unmatched) {
                self.unmatched.push(unmatched);
            }
        }
        match subscript {
            Some(subscript) if !hosts.is_empty() => subscript.apply(pattern, &hosts),
            _ => Ok(hosts),
        }
    }
}

/// All hosts whose group or name matches, and whether any group did.
fn enumerate(graph: &Graph, expression: &str) -> Result<(IndexSet<HostName>, bool), Error> {
    let matcher = Matcher::new(expression)?;
    let mut hosts = IndexSet::new();
    let mut any_group = false;
    for (index, name) in graph.groups.keys().enumerate() {
        if matcher.matches(name) {
            any_group = true;
            hosts.extend(graph.hosts_of(index));
        }
    }
    if !any_group || expression.starts_with('~') || expression.contains(['.', '?', '*', '[']) {
        hosts.extend(graph.hosts.keys().filter(|name| matcher.matches(name)).cloned());
    }
    if hosts.is_empty() && LOCALHOST.contains(&expression) {
        // Ansible makes one implicit host; a `localhost` of the inventory under another name stands for it.
        let known = LOCALHOST.iter().find_map(|name| graph.hosts.get_key_value(*name));
        hosts.insert(known.map_or_else(|| HostName::from(expression), |(name, _)| name.clone()));
    }
    Ok((hosts, any_group))
}

/// A shell pattern, or with `~` a regular expression, that matches from the beginning of a name.
struct Matcher(fancy_regex::Regex);

impl Matcher {
    fn new(expression: &str) -> Result<Self, Error> {
        let regex = match expression.strip_prefix('~') {
            Some(regex) => format!("^(?:{regex})"),
            None => shell_pattern(expression),
        };
        fancy_regex::Regex::new(&regex).map(Self).map_err(|error| {
            let reason = error.to_string().replace(['\n', '\r'], " ");
            invalid(expression, &format!("is no valid pattern: {reason}"), None)
        })
    }

    /// A pattern that backtracks without end matches nothing.
    fn matches(&self, name: &str) -> bool {
        self.0.is_match(name).unwrap_or(false)
    }
}

/// Python's `fnmatch.translate`.
fn shell_pattern(pattern: &str) -> String {
    let mut regex = "(?s)^".to_owned();
    let mut rest = pattern;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        match character {
            '*' => regex += ".*",
            '?' => regex += ".",
            '[' => match set(rest) {
                Some((set, after)) => {
                    regex += &set;
                    rest = after;
                }
                None => regex += "\\[",
            },
            other => regex += &regex::escape(other.encode_utf8(&mut [0; 4])),
        }
    }
    regex + "\\z"
}

/// `abc]…` or `!abc]…` behind a `[`: the set and the rest.
fn set(rest: &str) -> Option<(String, &str)> {
    let negated = rest.starts_with('!');
    let body = &rest[usize::from(negated)..];
    // A `]` that comes first belongs to the set.
    let first = usize::from(body.starts_with(']'));
    let end = body[first..].find(']')? + first;
    let escaped: String = body[..end]
        .chars()
        .flat_map(|character| {
            let special = !character.is_alphanumeric() && character != '-';
            special.then_some('\\').into_iter().chain(Some(character))
        })
        .collect();
    Some((format!("[{}{escaped}]", if negated { "^" } else { "" }), &body[end + 1..]))
}

enum Subscript {
    One(i64),
    Range(usize, Option<usize>),
}

/// Takes `[0]` or `[1:3]` off a pattern; a regular expression has none.
fn subscript(pattern: &str) -> Result<(&str, Option<Subscript>), Error> {
    let Some(found) = SUBSCRIPT.captures(pattern).filter(|_| !pattern.starts_with('~')) else {
        return Ok((pattern, None));
    };
    let expression = found.get(1).map_or(pattern, |expression| expression.as_str());
    let too_large = |_| invalid(pattern, "the subscript is too large", None);
    let subscript = match (found.get(2), found.get(3), found.get(4)) {
        (Some(index), ..) => Subscript::One(index.as_str().parse().map_err(too_large)?),
        (None, Some(start), end) => {
            let end = end.map(|end| end.as_str()).filter(|end| !end.is_empty());
            Subscript::Range(
                start.as_str().parse().map_err(too_large)?,
                end.map(str::parse).transpose().map_err(too_large)?,
            )
        }
        _ => return Ok((pattern, None)),
    };
    Ok((expression, Some(subscript)))
}

impl Subscript {
    /// Both ends of a range count.
    fn apply(&self, pattern: &str, hosts: &IndexSet<HostName>) -> Result<IndexSet<HostName>, Error> {
        let count = hosts.len();
        let at = |index: Option<usize>| {
            let host = index.and_then(|index| hosts.get_index(index)).cloned();
            host.map(|host| IndexSet::from([host])).ok_or_else(|| {
                let hint = format!("the last of its {count} hosts is `[{}]`", count.saturating_sub(1));
                invalid(pattern, "no host has this number", Some(hint))
            })
        };
        match *self {
            Self::One(index) if index < 0 => at(usize::try_from(-index).ok().and_then(|back| count.checked_sub(back))),
            Self::One(index) => at(usize::try_from(index).ok()),
            // With an end of 0 Ansible takes the one host at the start, which is the same for `[0:0]`.
            Self::Range(start, Some(0)) => at(Some(start)),
            Self::Range(start, end) => {
                let end = end.map_or(count, |end| end.saturating_add(1).min(count));
                Ok(hosts.iter().take(end).skip(start).cloned().collect())
            }
        }
    }
}

fn invalid(pattern: &str, reason: &str, hint: Option<String>) -> Error {
    Error::Pattern { pattern: pattern.to_owned(), reason: reason.to_owned(), hint }
}

#[cfg(test)]
mod tests {
    use super::{Matcher, shell_pattern, split};
    use rstest::rstest;

    #[rstest]
    #[case("a", &["a"])]
    #[case("a:!b:&c", &["a", "!b", "&c"])]
    #[case("a,b[1], c[2:3] , d", &["a", "b[1]", "c[2:3]", "d"])]
    #[case("web[0:2]:db", &["web[0:2]", "db"])]
    #[case("2001:db8::1", &["2001:db8::1"])]
    #[case("pi-[1:4]", &["pi-[1:4]"])]
    #[case("x::y", &["x", "y"])]
    #[case("", &[])]
    fn patterns_are_split(#[case] pattern: &str, #[case] parts: &[&str]) {
        assert_eq!(split(pattern), parts);
    }

    #[rstest]
    #[case("pi-*", "pi-1", true)]
    #[case("pi-*", "api-1", false)]
    #[case("pi-?", "pi-12", false)]
    #[case("pi-[12]", "pi-2", true)]
    #[case("pi-[!12]", "pi-2", false)]
    #[case("pi-[1-3]", "pi-2", true)]
    #[case("a.b", "axb", false)]
    #[case("pi[", "pi[", true)]
    #[case("~pi-[13]", "pi-3x", true)]
    #[case("~i-1", "pi-1", false)]
    #[case("~(?!db)", "web", true)]
    fn names_match(#[case] pattern: &str, #[case] name: &str, #[case] expected: bool) {
        assert_eq!(Matcher::new(pattern).unwrap().matches(name), expected, "{}", shell_pattern(pattern));
    }
}

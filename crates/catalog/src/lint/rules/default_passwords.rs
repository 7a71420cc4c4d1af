//! No password is known to everybody who can read this repository.

use crate::lint::Object;
use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};
use crate::tree::{Node, Value};
use diagnostic::Position;
use serde_json::Value as Json;

pub(crate) const RULE: Rule = Rule::manifests(
    "default-passwords",
    "values.yaml and values.yml hold no password, token or key, and what stands in a rendered Secret was generated anew",
    check,
)
.hinted("take it from a Secret (`existingSecret`), or let the library generate it (`common.generatedSecret`)");

/// Values that are nobody's secret, whatever they are called: those that the library chart refuses (`common.isWellKnownPassword`), and
/// a few more.
const WELL_KNOWN: [&str; 17] = [
    "changeme",
    "change-me",
    "change_me",
    "changeit",
    "password",
    "passw0rd",
    "letmein",
    "s3cret",
    "supersecret",
    "postgres",
    "admin",
    "root",
    "secret",
    "rocketchat",
    "rocketchatroot",
    "123456",
    "12345678",
];

/// Those of them that are called so as users, databases and images are, too.
const NAMES: [&str; 6] = ["password", "postgres", "admin", "root", "secret", "rocketchat"];

/// Base64 of 28 bytes: what the library generates is longer, what people make up is shorter.
const SHORTEST_GENERATED: usize = 38;

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    check_file(&subject.chart.path("values.yaml"), subject.chart.text("values.yaml"), findings);
    check_file(&subject.playbook.path("values.yml"), subject.playbook.text("values.yml"), findings);
    check_secrets(subject, findings);
}

fn check_file(path: &str, text: Option<&str>, findings: &mut Findings<'_>) {
    let node = text.and_then(|text| Node::parse(text, path).ok());
    node.into_iter().for_each(|node| check_node(&node, "", path, findings));
}

fn check_node(node: &Node, parent: &str, path: &str, findings: &mut Findings<'_>) {
    node.items().iter().for_each(|item| check_node(item, parent, path, findings));
    for (key, value) in node.entries() {
        let place: Position = key.position(path);
        check_value(value, parent, &key.name, &place, findings);
        for item in value.items() {
            check_value(item, parent, &key.name, &item.position(path), findings);
        }
        check_node(value, &key.name, path, findings);
    }
}

/// A value, or one of several, that is no list and no map.
fn check_value(value: &Node, parent: &str, name: &str, place: &Position, findings: &mut Findings<'_>) {
    let (is_given, text) = match &value.value {
        Value::String(text) => (!text.is_empty(), text.as_str()),
        Value::Integer(_) | Value::Number => (true, ""),
        _ => (false, ""),
    };
    if is_given && is_secret(parent, name) {
        findings.at(place, format!("`{name}` has a value"));
    } else if is_well_known(name, &text.trim().to_lowercase()) {
        findings.at(place, format!("`{name}` is a well-known password"));
    }
}

/// `username: admin` is none, `rootPass: admin` is one.
fn is_well_known(name: &str, text: &str) -> bool {
    let name = name.to_lowercase();
    let points = ["key", "name", "file", "path", "secret"].iter().any(|end| name.ends_with(end));
    let is_like_a_password = (name.contains("pass") || name.contains("pwd")) && !points;
    WELL_KNOWN.contains(&text) && (is_like_a_password || !NAMES.contains(&text))
}

/// `secret` below `tls` names one in the cluster.
fn is_secret(parent: &str, name: &str) -> bool {
    let is_name = name == "secret" && parent.to_lowercase().ends_with("tls");
    !is_name && vault::names_a_secret(name)
}

/// Two releases that are rendered one after the other have no secret in common.
fn check_secrets(subject: &Subject, findings: &mut Findings<'_>) {
    let Some(configuration) = subject.each().iter().find(|configuration| configuration.name == "default") else {
        return;
    };
    let is_secret = |object: &&Object| object.kind() == "Secret";
    let second = subject.second().iter().filter(|object| !object.is_upstream()).filter(is_secret);
    for (first, second) in configuration.own().filter(is_secret).zip(second) {
        for field in ["data", "stringData"] {
            for (key, value) in first.value[field].as_object().into_iter().flatten() {
                let value = value.as_str().unwrap_or_default();
                if second.value[field].get(key).and_then(Json::as_str) == Some(value) {
                    findings.object(configuration, first, format!("`{key}` is the same in every release"));
                } else if value.len() < SHORTEST_GENERATED {
                    findings.object(configuration, first, format!("`{key}` is generated, but short"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const LIBRARY: &str = include_str!("../../../../../build/charts/common/templates/_secret.tpl");

    /// What charts refuse when they are installed is found before.
    #[test]
    fn the_library_knows_none_that_is_not_known_here() {
        let list = LIBRARY.lines().find_map(|line| line.split_once("has (lower (trim .)) (list ")).unwrap().1;
        let words: Vec<_> = list.split(')').next().unwrap().split(' ').map(|word| word.trim_matches('"')).collect();
        assert!(words.len() > 10, "{words:?}");
        let unknown: Vec<_> = words.into_iter().filter(|word| !word.is_empty() && !WELL_KNOWN.contains(word)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[rstest]
    #[case("owner", "changeme", true)]
    #[case("pin", "123456", true)]
    #[case("pass", "postgres", true)]
    #[case("initialPasswd", "admin", true)]
    #[case("username", "admin", false)]
    #[case("repository", "postgres", false)]
    #[case("passwordKey", "password", false)]
    #[case("pass", "", false)]
    fn names_are_passwords_under_such_a_name(#[case] name: &str, #[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_well_known(name, text), expected);
    }
}

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

/// Values that are nobody's secret, whatever they are called.
const WELL_KNOWN: [&str; 7] = ["changeme", "change-me", "changeit", "passw0rd", "letmein", "s3cret", "supersecret"];

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
        let (is_given, text) = match &value.value {
            Value::String(text) => (!text.is_empty(), text.to_lowercase()),
            Value::Integer(_) | Value::Number => (true, String::new()),
            _ => (false, String::new()),
        };
        if is_given && is_secret(parent, &key.name) {
            findings.at(&place, format!("`{}` has a value", key.name));
        } else if WELL_KNOWN.contains(&text.as_str()) {
            findings.at(&place, format!("`{}` is a well-known password", key.name));
        }
        check_node(value, &key.name, path, findings);
    }
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

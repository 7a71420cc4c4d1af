//! What an encrypted configuration holds is known without its password.

use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};
use crate::tree::{Node, Value};

pub(crate) const RULE: Rule = Rule::files(
    "vault-example",
    "a service with `vault: true` has cfg.example.yml with empty values, and its chart takes existingSecret; no other has encrypted configuration",
    check,
);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    if subject.service.vault {
        check_example(subject, findings);
        check_chart(subject, findings);
        return;
    }
    for path in ["cfg.example.yml", "cfg.enc"].into_iter().filter(|path| subject.playbook.has(path)) {
        let message = format!("`{path}` is there, but `service.yml` does not say `vault: true`");
        findings.file(subject.playbook.path(path), message);
    }
}

fn check_example(subject: &Subject, findings: &mut Findings<'_>) {
    let path = subject.playbook.path("cfg.example.yml");
    let Some(text) = subject.playbook.text("cfg.example.yml") else {
        let hint = "list the keys of cfg.enc in it, each with an empty value and what it is for".to_owned();
        return findings.at_hinted(&subject.service_key("vault"), "there is no `cfg.example.yml`", Some(hint));
    };
    let node = match Node::parse(text, &path) {
        Ok(node) => node,
        Err(mistake) => return findings.file(path, mistake.message),
    };
    if node.entries().is_empty() {
        findings.file(path.as_str(), "it lists no key");
    }
    for (key, value) in node.entries() {
        let empty = matches!(&value.value, Value::Null) || value.as_str() == Some("");
        if !empty {
            let message = format!("`{}` has a value: an example is committed, and holds none", key.name);
            findings.at(&key.position(&path), message);
        }
    }
}

fn check_chart(subject: &Subject, findings: &mut Findings<'_>) {
    let path = subject.chart.path("values.yaml");
    let values = subject.chart.text("values.yaml").and_then(|text| Node::parse(text, &path).ok());
    if !values.is_some_and(|values| has_key(&values, "existingSecret")) {
        findings.file(path, "the chart has no value `existingSecret`, by which the decrypted configuration reaches it");
    }
}

fn has_key(node: &Node, wanted: &str) -> bool {
    node.entries().iter().any(|(key, value)| key.name == wanted || has_key(value, wanted))
}

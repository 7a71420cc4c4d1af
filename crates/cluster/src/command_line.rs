//! Secrets have no place on the command line, where every user of the machine can read them.

use crate::exit::{Error, Failure, Result};
use yaml::Value;

/// Refuses values of a flag of which one names a secret: `--set` with `key=value,key=value`, `--extra-vars` with
/// `key=value key=value`, YAML or JSON.
pub(crate) fn refuse_secrets(flag: &str, values: &[String]) -> Result<()> {
    let named = values.iter().filter(|value| !value.starts_with('@')).find_map(|value| secret(value));
    named.map_or(Ok(()), |key| Err(refusal(flag, &key)))
}

/// The first key that names a secret and has a value.
fn secret(text: &str) -> Option<String> {
    if text.trim_start().starts_with(['{', '[']) {
        return inside(&yaml::load_one("<command line>", text).ok()?, "");
    }
    let pairs = text.split([',', ' ']).filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, value)| names_a_secret(key, value)).map(|(key, _)| key.to_owned()).next()
}

/// The same in YAML or JSON: the path to the value.
fn inside(node: &yaml::Node, path: &str) -> Option<String> {
    let text = match &node.value {
        Value::Mapping(entries) => {
            let path = |key: &yaml::Node| match path {
                "" => key.to_key(),
                path => format!("{path}.{}", key.to_key()),
            };
            return entries.iter().find_map(|(key, value)| inside(value, &path(key)));
        }
        Value::Sequence(items) => {
            return items.iter().enumerate().find_map(|(number, item)| inside(item, &format!("{path}[{number}]")));
        }
        Value::String(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Vault(_) => return None,
    };
    names_a_secret(path, &text).then(|| path.to_owned())
}

fn names_a_secret(key: &str, value: &str) -> bool {
    // A template or a switch is none.
    let is_plain = value.contains("{{") || ["", "{}", "null", "true", "false", "yes", "no"].contains(&value);
    vault::names_a_secret(key) && !is_plain
}

fn refusal(flag: &str, key: &str) -> Error {
    let form = if flag == "--set" { "--values FILE" } else { "--extra-vars @FILE" };
    Failure::usage(format!("`{flag} {key}=…` would show a secret to every user of this machine"))
        .hinted(format!(
            "put it into a file that only you can read, better an encrypted one, and give it with `{form}`"
        ))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("auth.password=hunter2", Some("auth.password"))]
    #[case("image.tag=1,auth.password=hunter2", Some("auth.password"))]
    #[case("users[0].token=hunter2", Some("users[0].token"))]
    #[case("version=1 api_key=hunter2", Some("api_key"))]
    #[case("{\"db_password\": \"hunter2\"}", Some("db_password"))]
    #[case("ansible_become_pass=hunter2", Some("ansible_become_pass"))]
    #[case("{\"auth\": {\"password\": \"hunter2\"}}", Some("auth.password"))]
    #[case("{\"users\": [{\"name\": \"x\"}, {\"token\": \"hunter2\"}]}", Some("users[1].token"))]
    #[case("{\"db_password\": 12345678}", Some("db_password"))]
    #[case("{passwords: [hunter2]}", Some("passwords[0]"))]
    #[case("mongodb.auth.passwords={hunter2,b}", Some("mongodb.auth.passwords"))]
    #[case("mongodb.auth.passwords[0]=hunter2", Some("mongodb.auth.passwords[0]"))]
    #[case("app_secrets=hunter2", Some("app_secrets"))]
    #[case("{\"password\": null, \"tokens\": 8, \"secret\": true, \"passwords\": []}", None)]
    #[case("imagePullSecrets={mine}", None)]
    #[case("auth.passwords={}", None)]
    #[case("auth.existingSecret=mine", None)]
    #[case("ingress.tlsSecret=mine", None)]
    #[case("image.tag=1.0", None)]
    #[case("auth.password=", None)]
    #[case("db_password='{{ lookup(\"file\", \"x\") }}'", None)]
    #[case("require_token=true", None)]
    #[case("@passwords.yml", None)]
    fn a_secret_is_refused_by_its_key_and_not_shown(#[case] value: &str, #[case] key: Option<&str>) {
        let refused = refuse_secrets("--set", &[value.to_owned()]).err().map(|error| error.to_string());
        assert_eq!(refused.is_some(), key.is_some(), "{refused:?}");
        if let (Some(text), Some(key)) = (refused, key) {
            assert!(text.contains(&format!("`--set {key}=…`")) && !text.contains("hunter2"), "{text}");
        }
    }
}

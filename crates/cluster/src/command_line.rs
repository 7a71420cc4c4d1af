//! Secrets have no place on the command line, where every user of the machine can read them.

use crate::exit::{Error, Failure, Result};

/// Refuses values of a flag of which one names a secret: `--set` with `key=value,key=value`, `--extra-vars` with
/// `key=value key=value`, YAML or JSON.
pub(crate) fn refuse_secrets(flag: &str, values: &[String]) -> Result<()> {
    let named = values.iter().filter(|value| !value.starts_with('@')).find_map(|value| secret(value));
    named.map_or(Ok(()), |key| Err(refusal(flag, &key)))
}

/// The first key that names a secret and has a value.
fn secret(text: &str) -> Option<String> {
    if text.trim_start().starts_with('{') {
        let node = yaml::load_one("<command line>", text).ok()?;
        let entries = node.as_mapping()?.iter();
        let named = |key: &str, value: &yaml::Node| value.as_str().is_some_and(|value| names_a_secret(key, value));
        return entries
            .map(|(key, value)| (key.to_key(), value))
            .find(|(key, value)| named(key, value))
            .map(|(key, _)| key);
    }
    let pairs = text.split([',', ' ']).filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, value)| names_a_secret(key, value)).map(|(key, _)| key.to_owned()).next()
}

fn names_a_secret(key: &str, value: &str) -> bool {
    // A template or a switch is none.
    let is_plain = value.contains("{{") || ["", "true", "false", "yes", "no"].contains(&value);
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

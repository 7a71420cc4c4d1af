//! `--values` and `--set` as the variables that the playbooks take: `service_values` and `helm_set`.

use crate::exit::{Error, Failure, Result, boxed};
use camino::Utf8Path;
use diagnostic::Mistake;
use serde_json::{Map, Value};

/// The files laid over each other, later ones on top, as `helm --values` does: maps merge, everything else replaces.
pub(super) fn merged(files: &[camino::Utf8PathBuf]) -> Result<Map<String, Value>> {
    let mut merged = Map::new();
    for file in files {
        lay_over(&mut merged, read(file)?);
    }
    Ok(merged)
}

fn read(file: &Utf8Path) -> Result<Map<String, Value>> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("the values file `{file}` can not be read")).because(error))?;
    let node = yaml::load_one(file.as_str(), &text).map_err(boxed)?;
    match node.to_data() {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        _ => Err(boxed(
            Mistake::at(node.position.clone(), format!("values are a mapping, this is {}", node.kind()))
                .hinted("write `key: value` lines as in the chart's values.yaml"),
        )),
    }
}

fn lay_over(below: &mut Map<String, Value>, above: Map<String, Value>) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => lay_over(below, above),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

/// Words that name a secret when they end a key.
const SECRET_WORDS: [&str; 8] =
    ["password", "passwd", "passphrase", "secret", "token", "apikey", "privatekey", "credentials"];

/// Refuses a secret on the command line, where every user of the machine can read it.
pub(super) fn refuse_secrets(sets: &[String]) -> Result<()> {
    // Helm takes several values in one, with commas between them.
    match sets.iter().flat_map(|set| set.split(',')).find(|set| names_a_secret(set)) {
        None => Ok(()),
        Some(set) => Err(on_the_command_line(set.split('=').next().unwrap_or_default())),
    }
}

fn on_the_command_line(key: &str) -> Error {
    Failure::usage(format!("`--set {key}=…` would show a secret to every user of this machine"))
        .hinted("put it into a file that only you can read, and give it with `--values FILE`")
        .into()
}

fn names_a_secret(set: &str) -> bool {
    let Some((key, value)) = set.split_once('=') else { return false };
    let last = key.rsplit('.').next().unwrap_or_default().to_lowercase().replace(['-', '_'], "");
    !value.is_empty() && SECRET_WORDS.iter().any(|word| last.ends_with(word)) && !last.starts_with("existing")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("auth.password=hunter2", true)]
    #[case("api_key=abc", true)]
    #[case("auth.existingSecret=mine", false)]
    #[case("image.tag=1.0", false)]
    #[case("auth.password=", false)]
    fn secrets_on_the_command_line_are_known(#[case] set: &str, #[case] expected: bool) {
        assert_eq!(names_a_secret(set), expected);
    }

    #[rstest]
    #[case("image.tag=1,auth.password=hunter2", "auth.password")]
    #[case("users[0].token=abc", "users[0].token")]
    fn a_secret_is_refused_by_its_key_and_not_shown(#[case] set: &str, #[case] key: &str) {
        let text = refuse_secrets(&[set.to_owned()]).unwrap_err().to_string();
        assert!(text.contains(key) && !text.contains("hunter2") && !text.contains("abc"), "{text}");
    }

    #[test]
    fn maps_merge_and_lists_replace() {
        let Value::Object(mut below) = json!({"a": {"b": 1, "c": 2}, "list": [1, 2]}) else { panic!("object") };
        let Value::Object(above) = json!({"a": {"c": 3}, "list": [9]}) else { panic!("object") };
        lay_over(&mut below, above);
        assert_eq!(Value::Object(below), json!({"a": {"b": 1, "c": 3}, "list": [9]}));
    }
}

//! A service's encrypted configuration (`cfg.enc`), as its playbook wants it: a mapping of names to single values.

use crate::config;
use crate::passwords::hush;
use camino::Utf8Path;
use catalog::Service;
use diagnostic::{Mistake, Mistakes, Redactor};
use yaml::{Node, Value};

/// What a `cfg.enc` decrypts to. Its values are never part of a message.
pub(crate) struct ServiceConfig {
    entries: Vec<(String, Node)>,
}

/// Reads the plaintext of the file at `path`.
///
/// # Errors
/// Everything that the playbook would refuse, by line and key.
pub(crate) fn read(path: &Utf8Path, plaintext: &str) -> Result<ServiceConfig, Mistakes> {
    let node = document(path, plaintext)?;
    let Value::Mapping(mapping) = node.value else { return Err(no_mapping(path, &node).into()) };
    let mut mistakes = Mistakes::new();
    let mut entries = Vec::new();
    for (key, value) in mapping {
        let name = key.to_key();
        match value.value {
            Value::Mapping(_) | Value::Sequence(_) => {
                mistakes
                    .push(Mistake::new(format!("key `{name}` of `{path}` has {}, not a single value", value.kind())));
            }
            Value::Null => mistakes.push(Mistake::new(format!("key `{name}` of `{path}` has no value"))),
            _ => entries.push((name, value)),
        }
    }
    mistakes.into_result()?;
    Ok(ServiceConfig { entries })
}

/// Whether a `values.yml.enc` decrypts to what its playbook can lay over the values: a mapping, or nothing.
pub(crate) fn check_values(path: &Utf8Path, plaintext: &str) -> Result<(), Mistake> {
    let node = document(path, plaintext)?;
    if matches!(node.value, Value::Mapping(_) | Value::Null) { Ok(()) } else { Err(no_mapping(path, &node)) }
}

fn document(path: &Utf8Path, plaintext: &str) -> Result<Node, Mistake> {
    // The reader's own message may quote the line.
    yaml::load_one(path.as_str(), plaintext).map_err(|error| {
        let line =
            diagnostic::Diagnose::position(&error).map_or_else(String::new, |at| format!(" (line {} of it)", at.line));
        Mistake::new(format!("what `{path}` decrypts to is no YAML{line}"))
    })
}

fn no_mapping(path: &Utf8Path, node: &Node) -> Mistake {
    Mistake::new(format!("`{path}` decrypts to {}, not to `name: value` lines", node.kind()))
}

impl ServiceConfig {
    /// Whether it has every key of the service's `cfg.example.yml`.
    ///
    /// # Errors
    /// The keys that it lacks.
    pub(crate) fn complete(&self, service: &Service) -> Result<(), Mistakes> {
        let path = config::shown(&service.encrypted_config());
        let example = service.example_config();
        let Ok(text) = std::fs::read_to_string(&example) else { return Ok(()) };
        let example = config::shown(&example);
        let node = yaml::load_one(example.as_str(), &text).map_err(|error| Mistake::new(error.to_string()))?;
        let mut mistakes = Mistakes::new();
        for (key, _) in node.as_mapping().into_iter().flat_map(yaml::Mapping::iter) {
            let name = key.to_key();
            if !self.entries.iter().any(|(own, _)| *own == name) {
                let mistake = Mistake::new(format!("`{path}` lacks the key `{name}`, which `{example}` lists"));
                mistakes.push(mistake.hinted(format!("run `cluster vault edit {}`", service.name)));
            }
        }
        mistakes.into_result()
    }

    /// From now on none of its values is shown.
    pub(crate) fn hush(&self, redactor: &Redactor) {
        self.entries.iter().for_each(|(_, value)| hush(value, redactor));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn mistakes(text: &str) -> String {
        read(Utf8Path::new("cfg.enc"), text).map(|_| ()).unwrap_err().to_string()
    }

    #[rstest]
    #[case("- hunter2\n", "`cfg.enc` decrypts to a list, not to `name: value` lines")]
    #[case("a: {b: hunter2}\n", "key `a` of `cfg.enc` has a mapping, not a single value")]
    #[case("a:\n", "key `a` of `cfg.enc` has no value")]
    #[case("a: [hunter2\n", "what `cfg.enc` decrypts to is no YAML (line 1 of it)")]
    fn what_is_wrong_is_told_without_a_value(#[case] text: &str, #[case] expected: &str) {
        let told = mistakes(text);
        assert_eq!(told, expected);
        assert!(!told.contains("hunter2"));
    }

    #[rstest]
    #[case("a: {b: 1}\n", None)]
    #[case("", None)]
    #[case("- hunter2\n", Some("`values.yml.enc` decrypts to a list, not to `name: value` lines"))]
    #[case("a: [hunter2\n", Some("what `values.yml.enc` decrypts to is no YAML (line 1 of it)"))]
    fn encrypted_values_are_a_mapping(#[case] text: &str, #[case] expected: Option<&str>) {
        let told = check_values(Utf8Path::new("values.yml.enc"), text).err().map(|mistake| mistake.message);
        assert_eq!(told.as_deref(), expected);
    }

    #[test]
    fn values_are_hushed() {
        let redactor = Redactor::new();
        read(Utf8Path::new("cfg.enc"), "a: correct horse\nb: 1234567890\nc: 1\n")
            .unwrap_or_else(|_| panic!())
            .hush(&redactor);
        assert_eq!(redactor.redact("correct horse 1234567890 1"), "******** ******** 1");
    }
}

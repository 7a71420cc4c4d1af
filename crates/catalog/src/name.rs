//! What a service is called.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The name of a service as its folder has it: lower-case letters, digits, hyphens and dots (`rocket.chat`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceName(String);

/// Helm allows 53 characters for a release, so that names made from it stay below Kubernetes' 63.
const LONGEST: usize = 53;

/// What a name has to match; the editor's schema has it too.
const PATTERN: &str = r"^[a-z]([a-z0-9]|[-.][a-z0-9]){0,52}$";

/// Why a text is not a service's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no service name: {RULE}")]
pub struct InvalidName(String);

const RULE: &str = "lower-case letters, digits, single hyphens and dots, a letter first, at most 53 characters";

impl ServiceName {
    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a DNS label, which releases and objects are called by: `rocket.chat` becomes `rocket-chat`.
    pub fn dns_label(&self) -> String {
        self.0.replace('.', "-")
    }
}

impl FromStr for ServiceName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for ServiceName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        let part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        let valid = text.len() <= LONGEST
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.split(['-', '.']).all(part);
        if valid { Ok(Self(text)) } else { Err(InvalidName(text)) }
    }
}

impl From<ServiceName> for String {
    fn from(name: ServiceName) -> Self {
        name.0
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for ServiceName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for ServiceName {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl JsonSchema for ServiceName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ServiceName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": PATTERN, "maxLength": LONGEST, "errorMessage": RULE })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("ollama", true)]
    #[case("rocket.chat", true)]
    #[case("k3s-upgrade", true)]
    #[case("", false)]
    #[case("Ollama", false)]
    #[case("3com", false)]
    #[case("a..b", false)]
    #[case("a-", false)]
    #[case("../etc", false)]
    #[case("a/b", false)]
    #[case(&"a".repeat(53), true)]
    #[case(&"a".repeat(54), false)]
    fn only_names_that_are_safe_as_path_and_label(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(text.parse::<ServiceName>().is_ok(), valid);
    }

    #[test]
    fn a_dot_becomes_a_hyphen_in_the_cluster() {
        let name: ServiceName = "rocket.chat".parse().unwrap();
        assert_eq!(name.dns_label(), "rocket-chat");
        assert_eq!(name.to_string(), "rocket.chat");
    }

    proptest! {
        #[test]
        fn parser_and_schema_agree(text in "[a-zA-Z0-9.-]{0,8}") {
            let pattern = regex::Regex::new(PATTERN).unwrap();
            prop_assert_eq!(text.parse::<ServiceName>().is_ok(), pattern.is_match(&text));
        }

        #[test]
        fn every_name_is_a_dns_label(text in "[a-z][a-z0-9.-]{0,60}") {
            if let Ok(name) = text.parse::<ServiceName>() {
                let label = name.dns_label();
                prop_assert!(label.len() <= 63 && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
                prop_assert!(!label.ends_with('-'));
            }
        }
    }
}

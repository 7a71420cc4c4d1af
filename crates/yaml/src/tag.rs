//! Tags: YAML's own, and Ansible's `!vault` and `!unsafe`.

use crate::Value;
use crate::scalar::{self, Rules};
use granit_parser::Tag;

/// Every tag that may be written, for suggestions.
pub(crate) const KNOWN: [&str; 12] = [
    "!vault",
    "!vault-encrypted",
    "!unsafe",
    "!!str",
    "!!int",
    "!!float",
    "!!bool",
    "!!null",
    "!!seq",
    "!!map",
    "!!timestamp",
    "!!merge",
];

/// What a tag asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No tag: the value is resolved by its text.
    Implicit,
    /// `!`: text, whatever it looks like.
    NonSpecific,
    /// `!!str` and the like; the name behind `tag:yaml.org,2002:`.
    Core(String),
    /// `!unsafe`: never a template, down to its last node.
    Unsafe,
    /// `!vault`; true for the deprecated `!vault-encrypted`.
    Vault { deprecated: bool },
    /// Anything else, as written.
    Unknown(String),
}

impl Kind {
    pub fn of(tag: Option<&Tag>) -> Self {
        let Some(tag) = tag else { return Self::Implicit };
        if let Some(name) = tag.suffix_in_namespace("tag:yaml.org,2002:") {
            return match name.as_ref() {
                "str" | "int" | "float" | "bool" | "null" | "seq" | "map" | "timestamp" | "merge" => {
                    Self::Core(name.into_owned())
                }
                "python/unicode" => Self::Core("str".to_owned()),
                "python/dict" => Self::Core("map".to_owned()),
                _ => Self::Unknown(tag.original()),
            };
        }
        match format!("{}{}", tag.handle(), tag.suffix()).as_str() {
            "!" => Self::NonSpecific,
            "!unsafe" => Self::Unsafe,
            "!vault" => Self::Vault { deprecated: false },
            "!vault-encrypted" => Self::Vault { deprecated: true },
            _ => Self::Unknown(tag.original()),
        }
    }

    /// The value of a scalar with this tag; `Err` says what the text should have been. `plain` is false for quotes and blocks.
    pub fn scalar(&self, text: &str, plain: bool, rules: Rules) -> Result<Value, String> {
        let string = || Value::String(text.to_owned());
        match self {
            Self::Implicit if plain => Ok(scalar::resolve(text, rules)),
            Self::Implicit | Self::NonSpecific | Self::Unknown(_) => Ok(string()),
            // Ansible resolves what is tagged `!unsafe` again as if it were plain, quotes or not (`_resolve_and_construct_object`).
            Self::Unsafe => Ok(scalar::resolve(text, rules)),
            Self::Vault { .. } => Ok(Value::Vault(text.to_owned())),
            Self::Core(name) => match name.as_str() {
                "str" | "timestamp" | "merge" => Ok(string()),
                "null" => Ok(Value::Null),
                // A written tag converts any text that the conversion takes: `!!float 1` is 1.0.
                "float" => scalar::float(text)
                    .or_else(|| text.replace('_', "").parse().ok().map(Value::Float))
                    .ok_or_else(|| "a float such as `1.5`".to_owned()),
                "int" => scalar::int(text).ok_or_else(|| "an integer of at most 64 bits".to_owned()),
                "bool" => scalar::bool(text).ok_or_else(|| "`true` or `false`".to_owned()),
                "seq" => Err("a list".to_owned()),
                _ => Err("a mapping".to_owned()),
            },
        }
    }
}

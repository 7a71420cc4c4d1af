//! Dictionaries: any hashable key, order of insertion.

use super::Value;
use crate::error::Error;
use indexmap::{Equivalent, IndexMap};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A dictionary in insertion order.
pub type Map = IndexMap<Key, Value>;

/// What Python can hash. `True` and `1` are one key there; here too.
#[derive(Debug, Clone)]
pub enum Key {
    /// Text.
    Str(Arc<str>),
    /// A whole number.
    Int(i128),
    /// A boolean, equal to its number.
    Bool(bool),
    /// A float, by its bits; a whole one is a number.
    Float(u64),
    /// `None`
    None,
    /// A tuple of keys.
    Tuple(Vec<Key>),
}

impl Key {
    /// The key that a value makes.
    pub fn new(value: &Value) -> Result<Self, Error> {
        Ok(match value.check()? {
            Value::Str(text) => Self::Str(text.clone()),
            Value::Int(number) => Self::Int(*number),
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Float(number) => Self::Float(number.to_bits()),
            Value::None => Self::None,
            Value::Tuple(items) => Self::Tuple(items.iter().map(Self::new).collect::<Result<_, _>>()?),
            other => return Err(Error::operation(format!("unhashable type: '{}'", other.type_name()))),
        })
    }

    /// The key as a value again.
    pub fn value(&self) -> Value {
        match self {
            Self::Str(text) => Value::Str(text.clone()),
            Self::Int(number) => Value::Int(*number),
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Float(bits) => Value::Float(f64::from_bits(*bits)),
            Self::None => Value::None,
            Self::Tuple(keys) => Value::tuple(keys.iter().map(Self::value).collect()),
        }
    }

    /// The text of a string key.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The key as JSON writes it: always text.
    pub fn to_json(&self) -> String {
        match self {
            Self::Str(text) => text.to_string(),
            Self::Bool(flag) => flag.to_string(),
            Self::None => "null".to_owned(),
            other => other.value().to_text(),
        }
    }

    fn number(&self) -> Option<i128> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Bool(flag) => Some(i128::from(*flag)),
            Self::Float(bits) => {
                let number = f64::from_bits(*bits);
                (number.fract() == 0.0 && number.abs() < 1e30).then_some(number as i128)
            }
            _ => None,
        }
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::None, Self::None) => true,
            (Self::Tuple(a), Self::Tuple(b)) => a == b,
            (Self::Float(a), Self::Float(b)) if a == b => true,
            (a, b) => matches!((a.number(), b.number()), (Some(a), Some(b)) if a == b),
        }
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Str(text) => str::hash(text, state),
            Self::None => 0u8.hash(state),
            Self::Tuple(keys) => keys.hash(state),
            other => match (other.number(), other) {
                (Some(number), _) => number.hash(state),
                (None, Self::Float(bits)) => bits.hash(state),
                (None, _) => 1u8.hash(state),
            },
        }
    }
}

/// Looks up a string key without making one.
pub struct Name<'a>(pub &'a str);

impl Hash for Name<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        str::hash(self.0, state);
    }
}

impl Equivalent<Key> for Name<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        key.as_str() == Some(self.0)
    }
}

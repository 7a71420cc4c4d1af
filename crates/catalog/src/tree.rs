//! A YAML document in which every key and value knows its place, so that all mistakes of a file can be told at once; serde
//! alone stops at the first.

use diagnostic::{Mistake, Position};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};
use std::fmt;

/// A node of the document.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    location: Location,
}

/// What a node holds, as far as a schema asks.
#[derive(Debug)]
pub(crate) enum Value {
    Null,
    Bool,
    Integer(i64),
    Number,
    String(String),
    Sequence(Vec<Node>),
    Mapping(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: String,
    location: Location,
}

impl Node {
    /// Reads a document. `file` is what positions call it.
    pub(crate) fn parse(text: &str, file: &str) -> Result<Self, Box<Mistake>> {
        match serde_saphyr::from_str::<Spanned<Value>>(text) {
            Ok(spanned) => Ok(Self::from(spanned)),
            Err(error) => Err(Box::new(syntax_error(text, file).unwrap_or_else(|| mistake(&error, file)))),
        }
    }

    /// Where the node stands.
    pub(crate) fn position(&self, file: &str) -> Position {
        position(self.location, file)
    }

    /// The value under a key of a mapping.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _)| name.name == key).map(|(_, value)| value)
    }

    /// The entries of a mapping, none of anything else.
    pub(crate) fn entries(&self) -> &[(Key, Self)] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence, none of anything else.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The text of a string.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// What the node is, in the words of messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool => "a boolean",
            Value::Integer(_) => "an integer",
            Value::Number => "a number",
            Value::String(_) => "a string",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}

impl Key {
    /// Where the key stands.
    pub(crate) fn position(&self, file: &str) -> Position {
        position(self.location, file)
    }
}

impl From<Spanned<Value>> for Node {
    fn from(spanned: Spanned<Value>) -> Self {
        Self { value: spanned.value, location: spanned.referenced }
    }
}

/// serde-saphyr counts lines and columns from 1, as positions do; 0 stands for an unknown place.
fn position(location: Location, file: &str) -> Position {
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).max(1);
    let length = usize::try_from(location.span().len()).unwrap_or(1);
    Position::new(file, number(location.line()), number(location.column())).with_length(length)
}

/// What serde-saphyr says, at its place. Its text ends with the place, which the position tells already.
pub(crate) fn mistake(error: &serde_saphyr::Error, file: &str) -> Mistake {
    let text = error.without_snippet().to_string();
    let message = text.split(" at line ").next().unwrap_or(&text).trim_end_matches([':', ',', ' ']).to_owned();
    let place = error.location().map_or_else(|| Position::new(file, 1, 1), |location| position(location, file));
    Mistake::at(place, message)
}

/// The first syntax error in the words of our own reader, which knows what was probably meant.
fn syntax_error(text: &str, file: &str) -> Option<Mistake> {
    yaml::parse(file, text).err()?.into_mistakes().into_iter().next()
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Bool)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Number, Value::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element::<Spanned<Value>>()? {
            items.push(item.into());
        }
        Ok(Value::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut mapping: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = mapping.next_entry::<Spanned<String>, Spanned<Value>>()? {
            entries.push((Key { name: key.value, location: key.referenced }, value.into()));
        }
        Ok(Value::Mapping(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_and_values_know_their_place() {
        let node = Node::parse("a: 1\nb:\n  - x\n  - {c: true}\n", "f").unwrap();
        let (key, list) = &node.entries()[1];
        assert_eq!(key.position("f").to_string(), "f:2:1");
        assert_eq!(list.items()[0].position("f").to_string(), "f:3:5");
        let (inner, value) = &list.items()[1].entries()[0];
        assert_eq!(
            (inner.position("f").to_string(), value.position("f").to_string()),
            ("f:4:6".into(), "f:4:9".into())
        );
        assert_eq!(value.kind(), "a boolean");
    }

    #[test]
    fn broken_yaml_is_a_mistake_with_its_place() {
        let mistake = Node::parse("a: 1\nb: [1,\nc: 2\n", "f").unwrap_err();
        assert!(mistake.position.as_ref().is_some_and(|position| position.line >= 2), "{mistake:?}");
    }

    #[test]
    fn a_key_given_twice_is_a_mistake() {
        let mistake = Node::parse("a: 1\na: 2\n", "f").unwrap_err();
        assert_eq!(mistake.position.as_ref().map(|position| position.line), Some(2));
        assert!(mistake.message.contains("duplicate"), "{mistake}");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[a-z0-9:\\-\\[\\]{}&*!|>'\"#, \n\t~é]{0,80}") {
            let _ = Node::parse(&text, "f");
        }
    }
}

//! Data with marks on what is secret in it. Marked data is kept as a tree that template engines read member by member, as
//! they read what a person wrote, so that only who reads a secret member has read a secret.

use super::kind::Kind;
use super::words::Words;
use diagnostic::{Position, Redactor};
use serde_json::{Map, Number, Value as Json};
use yaml::{Mapping, Node, Value};

/// Marks data.
pub(super) struct Marker<'a> {
    pub(super) words: Words,
    pub(super) echoes: &'a dyn Fn(&str) -> bool,
    pub(super) hides_content: bool,
    pub(super) found: bool,
}

impl Marker<'_> {
    /// The data as a tree in which nothing is a template.
    pub(super) fn node(&mut self, kind: Kind, data: &Json, position: &Position) -> Node {
        let value = match data {
            Json::Array(items) => {
                Value::Sequence(items.iter().map(|item| self.node(kind.item(), item, position)).collect())
            }
            Json::Object(entries) => Value::Mapping(self.mapping(kind, entries, position)),
            scalar => {
                let is_secret = self.words.hidden(kind, scalar).is_some();
                self.found |= is_secret;
                let node = Node::new(scalar_value(scalar), position.clone());
                return Node { is_secret, is_unsafe: true, ..node };
            }
        };
        Node { is_unsafe: true, ..Node::new(value, position.clone()) }
    }

    fn mapping(&mut self, kind: Kind, entries: &Map<String, Json>, position: &Position) -> Mapping {
        let entry = |(key, value): (&String, &Json)| {
            let kind = kind.under(key, self.echoes, self.hides_content);
            (Node::string(key.as_str(), position.clone()), self.node(kind, value, position))
        };
        entries.iter().map(entry).collect()
    }
}

fn scalar_value(scalar: &Json) -> Value {
    match scalar {
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Value::Int(integer),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::String(text.clone()),
        _ => Value::Null,
    }
}

/// Marked data as the data that it is.
pub(crate) fn plain(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Int(number) => Json::from(*number),
        Value::Float(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
        Value::String(text) | Value::Vault(text) => Json::String(text.clone()),
        Value::Sequence(items) => Json::Array(items.iter().map(plain).collect()),
        Value::Mapping(entries) => {
            let entry = |(key, value): (&Node, &Node)| Some((key.as_str()?.to_owned(), plain(value)));
            Json::Object(entries.iter().filter_map(entry).collect())
        }
    }
}

/// Sees to it that nothing secret in a tree is shown from now on, also where a machine says it before any task has read it.
pub(crate) fn hush(node: &Node, redactor: &Redactor) {
    match &node.value {
        Value::Sequence(items) => items.iter().for_each(|item| hush(item, redactor)),
        Value::Mapping(entries) => entries.iter().for_each(|(_, value)| hush(value, redactor)),
        _ if !node.is_secret => {}
        Value::String(text) => redactor.add(text),
        Value::Int(number) => redactor.add(&number.to_string()),
        Value::Float(number) => redactor.add(&number.to_string()),
        Value::Null | Value::Bool(_) | Value::Vault(_) => {}
    }
}

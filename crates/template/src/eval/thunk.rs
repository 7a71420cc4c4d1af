//! A container that a person wrote, rendered member by member when it is used: an undefined variable in a member that
//! nobody asks for is no error.

use super::session::Session;
use crate::Value;
use crate::error::Error;
use crate::value::{Key, Map};
use std::sync::Arc;
use yaml::Node;

/// A sequence or mapping inside an authored variable.
pub struct Thunk {
    session: Arc<Session>,
    root: Arc<Node>,
    path: Vec<usize>,
    name: Arc<str>,
}

/// The node at a path of positions.
pub(crate) fn descend<'a>(root: &'a Node, path: &[usize]) -> &'a Node {
    path.iter().fold(root, |node, index| match &node.value {
        yaml::Value::Sequence(items) => items.get(*index).unwrap_or(node),
        yaml::Value::Mapping(mapping) => mapping.iter().nth(*index).map_or(node, |(_, value)| value),
        _ => node,
    })
}

/// A mapping's key: keys are never templates.
pub(crate) fn key(node: &Node) -> Key {
    match &node.value {
        yaml::Value::String(text) | yaml::Value::Vault(text) => Key::from(text.as_str()),
        yaml::Value::Int(number) => Key::Int((*number).into()),
        yaml::Value::Bool(flag) => Key::Bool(*flag),
        yaml::Value::Float(number) => Key::Float(number.to_bits()),
        _ => Key::None,
    }
}

impl Thunk {
    pub(crate) fn new(session: Arc<Session>, root: Arc<Node>, path: Vec<usize>, name: Arc<str>) -> Self {
        Self { session, root, path, name }
    }

    fn node(&self) -> &Node {
        descend(&self.root, &self.path)
    }

    fn child(&self, index: usize) -> Result<Value, Error> {
        let mut path = self.path.clone();
        path.push(index);
        self.session.authored(&self.root, path, &self.name)
    }

    /// `list` or `dict`
    pub(crate) fn type_name(&self) -> &'static str {
        if self.is_mapping() { "dict" } else { "list" }
    }

    pub(crate) fn is_mapping(&self) -> bool {
        matches!(self.node().value, yaml::Value::Mapping(_))
    }

    pub(crate) fn len(&self) -> usize {
        match &self.node().value {
            yaml::Value::Mapping(mapping) => mapping.len(),
            yaml::Value::Sequence(items) => items.len(),
            _ => 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The member under a key of a mapping.
    pub(crate) fn member(&self, wanted: &Key) -> Option<Result<Value, Error>> {
        let mapping = self.node().as_mapping()?;
        let index = mapping.iter().position(|(name, _)| key(name) == *wanted)?;
        Some(self.child(index))
    }

    /// The item of a sequence.
    pub(crate) fn item(&self, index: usize) -> Option<Result<Value, Error>> {
        (index < self.node().as_sequence()?.len()).then(|| self.child(index))
    }

    /// The mapping with its names, and nothing under them: no member is rendered.
    pub(crate) fn hollow(&self) -> Value {
        let names = self.node().as_mapping().into_iter().flat_map(yaml::Mapping::iter);
        Value::map(names.map(|(name, _)| (key(name), Value::None)).collect::<Map>())
    }

    /// The container with all members rendered. What can't be rendered stands as a marker, and is an error once used.
    pub(crate) fn force(&self) -> Value {
        let member = |index| match self.child(index) {
            Ok(Value::Lazy(thunk)) => thunk.force(),
            Ok(value) => value,
            Err(error) => Value::marker(error),
        };
        match &self.node().value {
            yaml::Value::Mapping(mapping) => {
                self.session.notes().names(mapping.iter().filter_map(|(name, _)| name.as_str()));
                let keys = mapping.iter().map(|(name, _)| key(name)).enumerate();
                Value::map(keys.map(|(index, key)| (key, member(index))).collect::<Map>())
            }
            _ => Value::list((0..self.len()).map(member).collect()),
        }
    }
}

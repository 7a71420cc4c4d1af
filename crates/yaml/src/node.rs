//! A YAML document as a tree of nodes that know their place.

use diagnostic::Position;

/// One node: a scalar, a sequence or a mapping, with its place in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What the node holds.
    pub value: Value,
    /// Where its text begins; the length is that of the scalar, or 1.
    pub position: Position,
    /// Tagged `!unsafe`: never a template, whatever braces it holds.
    pub is_unsafe: bool,
    /// Out of an encrypted file (a `!vault` scalar is secret by itself), or made of what is: not to be shown.
    pub is_secret: bool,
}

/// What a node holds, typed by YAML 1.1's rules as PyYAML applies them (`yes` is a bool, `0644` is 420).
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// `true`, `yes`, `on` and their opposites.
    Bool(bool),
    /// Decimal, octal (`0644`, `0o644` is a string in YAML 1.1), hexadecimal, binary or sexagesimal.
    Int(i64),
    /// A number with a point or an exponent, `.inf`, `.nan`.
    Float(f64),
    /// Any other scalar, also dates (kept as written).
    String(String),
    /// A `!vault` scalar: the ciphertext as written.
    Vault(String),
    /// `[a, b]` or a block list.
    Sequence(Vec<Node>),
    /// `{a: b}` or a block mapping, in the order of the file, merge keys (`<<`) applied.
    Mapping(Mapping),
}

/// Key and value nodes in the order of the file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mapping(Vec<(Node, Node)>);

impl Node {
    /// A node that is not tagged.
    pub fn new(value: Value, position: Position) -> Self {
        Self { value, position, is_unsafe: false, is_secret: false }
    }

    /// A string node.
    pub fn string(text: impl Into<String>, position: Position) -> Self {
        Self::new(Value::String(text.into()), position)
    }

    /// The same node where nothing in it, keys included, is a template any more (`!unsafe`).
    #[must_use]
    pub fn into_unsafe(mut self) -> Self {
        self.value = match self.value {
            Value::Sequence(items) => Value::Sequence(items.into_iter().map(Self::into_unsafe).collect()),
            Value::Mapping(Mapping(entries)) => Value::Mapping(Mapping(
                entries.into_iter().map(|(key, value)| (key.into_unsafe(), value.into_unsafe())).collect(),
            )),
            scalar => scalar,
        };
        self.is_unsafe = true;
        self
    }

    /// The same node where every value in it is secret. Keys are not: they name what is there.
    #[must_use]
    pub fn into_secret(mut self) -> Self {
        self.value = match self.value {
            Value::Sequence(items) => Value::Sequence(items.into_iter().map(Self::into_secret).collect()),
            Value::Mapping(Mapping(entries)) => {
                Value::Mapping(Mapping(entries.into_iter().map(|(key, value)| (key, value.into_secret())).collect()))
            }
            scalar => scalar,
        };
        self.is_secret = true;
        self
    }

    /// Whether the node is `null`, `~` or nothing.
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// The text of a string node.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The entries of a mapping node.
    pub fn as_mapping(&self) -> Option<&Mapping> {
        match &self.value {
            Value::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// The items of a sequence node.
    pub fn as_sequence(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// What the node is, in YAML's words, for messages: `a string`, `a list`, `a mapping`, …
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "an integer",
            Value::Float(_) => "a float",
            Value::String(_) => "a string",
            Value::Vault(_) => "an encrypted string",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}

impl Mapping {
    /// From entries in order.
    pub fn new(entries: Vec<(Node, Node)>) -> Self {
        Self(entries)
    }

    /// The value under a string key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, value)| value)
    }

    /// Key node and value node under a string key.
    pub fn entry(&self, key: &str) -> Option<(&Node, &Node)> {
        self.0.iter().find(|(name, _)| name.as_str() == Some(key)).map(|(name, value)| (name, value))
    }

    /// All entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Node, &Node)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// All keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &Node> {
        self.0.iter().map(|(key, _)| key)
    }

    /// Sets the value under a string key; a key that is there keeps its place in the order. Takes time in proportion to the
    /// number of entries.
    pub fn insert(&mut self, key: Node, value: Node) {
        match self.0.iter_mut().find(|(known, _)| known.value == key.value) {
            Some(entry) => *entry = (key, value),
            None => self.0.push((key, value)),
        }
    }

    /// Takes the value under a string key out.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let index = self.0.iter().position(|(name, _)| name.as_str() == Some(key))?;
        Some(self.0.remove(index).1)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Mapping {
    type Item = (Node, Node);
    type IntoIter = std::vec::IntoIter<(Node, Node)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<(Node, Node)> for Mapping {
    fn from_iter<I: IntoIterator<Item = (Node, Node)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

//! Entries of a mapping as PyYAML joins them: what `<<` brings comes first, own keys win, the last of two equal keys counts.

use crate::{Mapping, Node, Value};
use diagnostic::{Mistake, Mistakes, Position};
use std::collections::{HashMap, hash_map};

/// One entry as written.
pub(crate) struct Entry {
    pub key: Node,
    pub value: Node,
    /// The key is a plain `<<`.
    pub merges: bool,
}

/// The mapping, with mistakes (what can't be merged) and warnings (own keys written twice).
pub(crate) fn join(entries: Vec<Entry>, mistakes: &mut Mistakes, warnings: &mut Vec<Mistake>) -> Mapping {
    let (merged, own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.merges);
    let mut joined = Joined::default();
    for entry in merged {
        merge(&mut joined, entry.value, mistakes);
    }
    let mut first_places: HashMap<Identity, Position> = HashMap::new();
    for Entry { key, value, .. } in own {
        match first_places.entry(Identity::of(&key)) {
            hash_map::Entry::Occupied(first) => warnings.push(duplicate(&key, first.get())),
            hash_map::Entry::Vacant(vacant) => {
                vacant.insert(key.position.clone());
            }
        }
        joined.put(key, value);
    }
    Mapping::new(joined.entries)
}

/// A key as Python compares it: `1`, `1.0` and `true` are the same.
#[derive(PartialEq, Eq, Hash)]
enum Identity {
    Null,
    Number(u64),
    Text(String),
}

impl Identity {
    fn of(key: &Node) -> Self {
        match &key.value {
            Value::Bool(value) => Self::Number(f64::from(*value).to_bits()),
            #[expect(clippy::cast_precision_loss, reason = "keys that differ only beyond 53 bits do not occur")]
            Value::Int(value) => Self::Number((*value as f64).to_bits()),
            Value::Float(value) => Self::Number(value.to_bits()),
            Value::String(text) | Value::Vault(text) => Self::Text(text.clone()),
            // Collections are refused as keys before they come here.
            Value::Null | Value::Sequence(_) | Value::Mapping(_) => Self::Null,
        }
    }
}

#[derive(Default)]
struct Joined {
    entries: Vec<(Node, Node)>,
    places: HashMap<Identity, usize>,
}

impl Joined {
    /// A key that is there keeps its place in the order, as in a Python dict.
    fn put(&mut self, key: Node, value: Node) {
        match self.places.entry(Identity::of(&key)) {
            hash_map::Entry::Occupied(place) => self.entries[*place.get()] = (key, value),
            hash_map::Entry::Vacant(vacant) => {
                vacant.insert(self.entries.len());
                self.entries.push((key, value));
            }
        }
    }
}

fn merge(into: &mut Joined, value: Node, mistakes: &mut Mistakes) {
    match value.value {
        Value::Mapping(entries) => entries.into_iter().for_each(|(key, value)| into.put(key, value)),
        // Of several mappings the first one wins, so it is laid on top of the others.
        Value::Sequence(items) => {
            for item in items.into_iter().rev() {
                match item.value {
                    Value::Mapping(entries) => entries.into_iter().for_each(|(key, value)| into.put(key, value)),
                    _ => mistakes.push(not_mergeable(&item)),
                }
            }
        }
        _ => mistakes.push(not_mergeable(&value)),
    }
}

fn not_mergeable(node: &Node) -> Mistake {
    Mistake::at(node.position.clone(), format!("`<<` takes a mapping or a list of mappings, not {}", node.kind()))
        .labelled(node.kind())
        .hinted("name an anchored mapping: `<<: *defaults`")
}

fn duplicate(key: &Node, first: &Position) -> Mistake {
    let name = key.as_str().map_or_else(|| "this key".to_owned(), |name| format!("`{name}`"));
    Mistake::at(key.position.clone(), format!("{name} is set twice in the same mapping"))
        .labelled("this one counts")
        .hinted(format!("remove the one in line {}, or this one", first.line))
}

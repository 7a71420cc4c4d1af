//! `{% for %}`, and what can be gone through.

use super::arguments::Args;
use super::callable::{Callable, Loop};
use super::exec::{Exec, concat};
use crate::Value;
use crate::compile::For;
use crate::error::Error;
use crate::value::range_len;
use std::sync::Arc;

/// A range longer than this is a slip, not a loop.
const LONGEST_RANGE: i128 = 10_000_000;

/// The items of a value, as Python's `iter()` gives them.
pub(crate) fn iterate(value: &Value) -> Result<Vec<Value>, Error> {
    match value.check()? {
        Value::List(items) | Value::Tuple(items) => Ok(items.to_vec()),
        Value::Map(map) => Ok(map.keys().map(crate::value::Key::value).collect()),
        Value::Str(text) => Ok(text.chars().map(|character| Value::from(character.to_string())).collect()),
        Value::Lazy(thunk) if thunk.is_mapping() => iterate(&thunk.hollow()),
        Value::Lazy(thunk) => iterate(&thunk.force()),
        Value::Scope(view) => Ok(view.names().into_iter().map(Value::from).collect()),
        Value::Range(start, end, step) => {
            let length = range_len(*start, *end, *step);
            if length > LONGEST_RANGE {
                return Err(Error::operation(format!("a range of {length} items is too long")));
            }
            Ok((0..length).map(|index| Value::Int(start + index * step)).collect())
        }
        other => Err(Error::operation(format!("'{}' object is not iterable", other.type_name()))),
    }
}

impl Exec {
    pub(crate) fn each(&mut self, each: &Arc<For>, out: &mut Vec<Value>) -> Result<(), Error> {
        let items = self.expr(&each.items)?;
        let items = iterate(&items).map_err(|error| error.at(|| self.place(each.items.span)))?;
        self.each_of(each, items, 0, out)
    }

    fn each_of(&mut self, each: &Arc<For>, items: Vec<Value>, depth: usize, out: &mut Vec<Value>) -> Result<(), Error> {
        let items = match &each.condition {
            None => items,
            Some(condition) => {
                let mut kept = Vec::with_capacity(items.len());
                for item in items {
                    let holds = self.scoped(|exec| {
                        exec.assign(&each.target, item.clone())?;
                        exec.truth(condition)
                    })?;
                    if holds {
                        kept.push(item);
                    }
                }
                kept
            }
        };
        if items.is_empty() {
            return self.scoped(|exec| exec.stmts(&each.otherwise, out));
        }
        if each.recursive {
            self.recursive.push(each.clone());
        }
        let items = Arc::new(items);
        let changed = Arc::default();
        let mut result = Ok(());
        for (index, item) in items.iter().enumerate() {
            let state =
                Loop { items: items.clone(), index, depth, recursive: each.recursive, changed: Arc::clone(&changed) };
            result = self.scoped(|exec| {
                exec.assign(&each.target, item.clone())?;
                let state = Value::Callable(Arc::new(Callable::Loop(state)));
                exec.assign(&crate::compile::Target::Name("loop".into()), state)?;
                exec.stmts(&each.body, out)
            });
            if result.is_err() {
                break;
            }
        }
        if each.recursive {
            self.recursive.pop();
        }
        result.map_err(|error| error.at(|| self.place(each.items.span)))
    }

    /// `loop(children)` inside a recursive loop.
    pub(crate) fn recurse(&mut self, args: Args) -> Result<Value, Error> {
        let Some(each) = self.recursive.last().cloned() else {
            return Err(Error::operation("the loop is not recursive"));
        };
        let [items] = args.bind(["iterable"])?;
        let items = iterate(&items.unwrap_or_default())?;
        let depth = self.recursive.len();
        self.deeper(|exec| {
            let mut out = Vec::new();
            exec.each_of(&each, items, depth, &mut out)?;
            Ok(match concat(out)? {
                Value::None => Value::from(""),
                value => value,
            })
        })
    }
}

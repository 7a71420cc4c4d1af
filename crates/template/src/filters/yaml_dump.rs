//! Writes YAML as PyYAML with libyaml does: block or flow collections, sorted keys, lines folded at the width. Only keys of
//! several lines differ: libyaml writes them as `? key`, here they are quoted on one line.

use super::yaml_scalar::{self, Context};
use crate::Value;
use crate::error::Error;
use crate::value::{Key, compare};

/// How YAML is laid out.
pub(super) struct Style {
    pub(super) indent: usize,
    pub(super) width: usize,
    pub(super) sort_keys: bool,
    /// `None`: collections of scalars in flow style, others as blocks.
    pub(super) flow: Option<bool>,
    pub(super) explicit_start: bool,
}

/// The document of a value.
pub(super) fn dump(value: &Value, style: &Style) -> Result<String, Error> {
    let mut writer = Writer { out: String::new(), column: 0, style };
    if style.explicit_start {
        writer.put("---");
    }
    writer.node(value, 0, Place::Root)?;
    if !writer.out.ends_with('\n') {
        writer.out.push('\n');
    }
    Ok(writer.out)
}

fn is_plain_scalar(value: &Value) -> bool {
    !matches!(value, Value::List(_) | Value::Tuple(_) | Value::Map(_))
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Root,
    Item,
    MapValue,
    Flow,
}

struct Writer<'a> {
    out: String,
    column: usize,
    style: &'a Style,
}

impl Writer<'_> {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        match text.rsplit_once('\n') {
            Some((_, last)) => self.column = last.chars().count(),
            None => self.column += text.chars().count(),
        }
    }

    fn line(&mut self, indent: usize) {
        self.put("\n");
        self.put(&" ".repeat(indent));
    }

    fn node(&mut self, value: &Value, indent: usize, place: Place) -> Result<(), Error> {
        match value {
            Value::Map(map) if map.is_empty() => self.word("{}", place),
            Value::List(items) | Value::Tuple(items) if items.is_empty() => self.word("[]", place),
            Value::Map(_) | Value::List(_) | Value::Tuple(_) if place == Place::Flow || self.is_flow(value) => {
                if place != Place::Flow && self.column > 0 && !self.out.ends_with(' ') {
                    self.put(" ");
                }
                self.flow(value, indent)?;
            }
            Value::Map(_) => self.block_map(value, indent, place)?,
            Value::List(items) | Value::Tuple(items) => self.block_list(items, indent, place)?,
            scalar => self.scalar(scalar, indent, place, false)?,
        }
        Ok(())
    }

    fn is_flow(&self, value: &Value) -> bool {
        match self.style.flow {
            Some(flow) => flow,
            None => match value {
                Value::Map(map) => map.values().all(is_plain_scalar),
                other => other.as_sequence().is_some_and(|items| items.iter().all(is_plain_scalar)),
            },
        }
    }

    fn word(&mut self, word: &str, place: Place) {
        if matches!(place, Place::MapValue | Place::Item) && !self.out.ends_with(' ') {
            self.put(" ");
        }
        self.put(word);
    }

    fn entries<'v>(&self, value: &'v Value) -> Vec<(&'v Key, &'v Value)> {
        let mut entries: Vec<_> = value.as_map().into_iter().flatten().collect();
        if self.style.sort_keys {
            let mut mixed = false;
            let before = entries.clone();
            entries.sort_by(|(a, _), (b, _)| {
                compare(&a.value(), &b.value(), "<").unwrap_or_else(|_| {
                    mixed = true;
                    std::cmp::Ordering::Equal
                })
            });
            // PyYAML leaves keys that have no order as they are.
            if mixed {
                return before;
            }
        }
        entries
    }

    fn block_map(&mut self, value: &Value, indent: usize, place: Place) -> Result<(), Error> {
        let own = if place == Place::Root { 0 } else { indent };
        for (index, (key, value)) in self.entries(value).into_iter().enumerate() {
            let begins_line = index == 0 && (place == Place::Item || self.out.is_empty());
            if !begins_line {
                self.line(own);
            }
            self.key(&key.value(), own)?;
            self.put(":");
            self.node(value, own + self.style.indent, Place::MapValue)?;
        }
        Ok(())
    }

    fn block_list(&mut self, items: &[Value], indent: usize, place: Place) -> Result<(), Error> {
        // A list inside a mapping stands at the mapping's own indentation.
        let own = match place {
            Place::Root => 0,
            Place::MapValue => indent - self.style.indent,
            _ => indent,
        };
        for (index, item) in items.iter().enumerate() {
            let begins_line = index == 0 && (place == Place::Item || self.out.is_empty());
            if !begins_line {
                self.line(own);
            }
            self.put("-");
            let inner = own + self.style.indent;
            // A nested collection begins on the mark's line; libyaml pads to the indentation.
            if !is_plain_scalar(item) && !self.is_flow(item) && !is_empty(item) {
                self.put(&" ".repeat(self.style.indent - 1));
            }
            self.node(item, inner, Place::Item)?;
        }
        Ok(())
    }

    fn key(&mut self, key: &Value, indent: usize) -> Result<(), Error> {
        self.scalar(key, indent, Place::Root, true)
    }

    fn scalar(&mut self, value: &Value, indent: usize, place: Place, is_key: bool) -> Result<(), Error> {
        if matches!(place, Place::MapValue | Place::Item) && !self.out.ends_with(' ')
            || (place == Place::Root && self.column > 0 && !is_key && self.style.explicit_start)
        {
            self.put(" ");
        }
        let context = Context {
            column: self.column,
            // A scalar's continued lines are indented one level deeper than its parent.
            indent: indent.max(if is_key { 0 } else { self.style.indent }),
            width: self.style.width,
            is_key,
            in_flow: place == Place::Flow,
        };
        let text = yaml_scalar::write(value, &context)?;
        self.put(&text);
        Ok(())
    }

    fn flow(&mut self, value: &Value, indent: usize) -> Result<(), Error> {
        let inner = indent.max(self.style.indent);
        match value {
            Value::Map(_) => {
                self.put("{");
                for (index, (key, value)) in self.entries(value).into_iter().enumerate() {
                    self.separate(index, inner);
                    let context = Context {
                        column: self.column,
                        indent: inner,
                        width: self.style.width,
                        is_key: true,
                        in_flow: true,
                    };
                    let text = yaml_scalar::write(&key.value(), &context)?;
                    self.put(&text);
                    self.put(": ");
                    self.flow_node(value, inner)?;
                }
                self.put("}");
            }
            other => {
                self.put("[");
                for (index, item) in other.as_sequence().unwrap_or_default().iter().enumerate() {
                    self.separate(index, inner);
                    self.flow_node(item, inner)?;
                }
                self.put("]");
            }
        }
        Ok(())
    }

    fn flow_node(&mut self, value: &Value, indent: usize) -> Result<(), Error> {
        match value {
            Value::Map(map) if map.is_empty() => self.put("{}"),
            Value::List(items) | Value::Tuple(items) if items.is_empty() => self.put("[]"),
            Value::Map(_) | Value::List(_) | Value::Tuple(_) => self.flow(value, indent + self.style.indent)?,
            scalar => self.scalar(scalar, indent + self.style.indent, Place::Flow, false)?,
        }
        Ok(())
    }

    fn separate(&mut self, index: usize, indent: usize) {
        if index > 0 {
            self.put(",");
        }
        if self.column > self.style.width {
            self.line(indent);
        } else if index > 0 {
            self.put(" ");
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Map(map) => map.is_empty(),
        other => other.as_sequence().is_some_and(<[Value]>::is_empty),
    }
}

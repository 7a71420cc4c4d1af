//! Equality, order and truth, as Python has them.

use super::Value;
use crate::error::Error;
use std::cmp::Ordering;

impl Value {
    /// Whether Python's `bool()` holds.
    pub fn truth(&self) -> Result<bool, Error> {
        if self.is_blank() {
            return Ok(false);
        }
        Ok(match self.check()? {
            Self::None => false,
            Self::Bool(flag) => *flag,
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::List(items) | Self::Tuple(items) => !items.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Range(start, end, step) => range_len(*start, *end, *step) > 0,
            Self::Delta(microseconds) => *microseconds != 0,
            Self::Scope(view) => !view.names().is_empty(),
            Self::Lazy(thunk) => !thunk.is_empty(),
            Self::Omit | Self::Time(_) | Self::Callable(_) | Self::Undefined(_) => true,
        })
    }
}

/// How many numbers a range gives.
pub(crate) fn range_len(start: i128, end: i128, step: i128) -> i128 {
    match step {
        0 => 0,
        step if step > 0 => ((end - start).max(0) + step - 1) / step,
        step => ((start - end).max(0) - step - 1) / -step,
    }
}

/// Python's `==`.
pub(crate) fn equal(a: &Value, b: &Value) -> Result<bool, Error> {
    Ok(match (a.check()?, b.check()?) {
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::None, Value::None) | (Value::Omit, Value::Omit) => true,
        (Value::Scope(a), b) => equal(&Value::map(a.members()), b)?,
        (a, Value::Scope(b)) => equal(a, &Value::map(b.members()))?,
        (Value::Lazy(a), b) => equal(&a.force(), b)?,
        (a, Value::Lazy(b)) => equal(a, &b.force())?,
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => equal_items(a, b)?,
        (Value::Map(a), Value::Map(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (key, value) in a.iter() {
                match b.get(key) {
                    Some(other) if equal(value, other)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (Value::Time(a), Value::Time(b)) => a == b,
        (Value::Delta(a), Value::Delta(b)) => a == b,
        (Value::Range(a, b, c), Value::Range(d, e, f)) => (a, b, c) == (d, e, f),
        (a, b) => match (a.as_int(), b.as_int(), a.as_float(), b.as_float()) {
            (Some(a), Some(b), ..) => a == b,
            (_, _, Some(a), Some(b)) => a == b,
            _ => false,
        },
    })
}

fn equal_items(a: &[Value], b: &[Value]) -> Result<bool, Error> {
    if a.len() != b.len() {
        return Ok(false);
    }
    for (a, b) in a.iter().zip(b) {
        if !equal(a, b)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Python's order; types that have none with each other are an error, in its words.
pub(crate) fn compare(a: &Value, b: &Value, operator: &str) -> Result<Ordering, Error> {
    match (a.check()?, b.check()?) {
        (Value::Str(a), Value::Str(b)) => Ok(a.chars().cmp(b.chars())),
        (Value::Lazy(a), b) => compare(&a.force(), b, operator),
        (a, Value::Lazy(b)) => compare(a, &b.force(), operator),
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            for (a, b) in a.iter().zip(b.iter()) {
                if !equal(a, b)? {
                    return compare(a, b, operator);
                }
            }
            Ok(a.len().cmp(&b.len()))
        }
        (Value::Time(a), Value::Time(b)) => Ok(a.cmp(b)),
        (Value::Delta(a), Value::Delta(b)) => Ok(a.cmp(b)),
        (a, b) => match (a.as_int(), b.as_int(), a.as_float(), b.as_float()) {
            (Some(a), Some(b), ..) => Ok(a.cmp(&b)),
            (_, _, Some(a), Some(b)) => Ok(a.partial_cmp(&b).unwrap_or(Ordering::Equal)),
            _ => Err(Error::operation(format!(
                "'{operator}' not supported between instances of '{}' and '{}'",
                a.type_name(),
                b.type_name()
            ))),
        },
    }
}

//! Members of values: `a.b`, `a['b']`, `a[1:2]`.

use super::callable::Callable;
use super::methods;
use crate::Value;
use crate::error::Error;
use crate::value::{Key, Name};
use std::sync::Arc;

/// `base.name`: Python's attribute, else the item of that name (Jinja's `Environment.getattr`). An error is meant to become
/// a marker.
pub(crate) fn attribute(base: &Value, name: &str) -> Result<Value, Error> {
    match base {
        Value::Undefined(_) => Ok(base.clone()),
        Value::Callable(callable) => match callable.attribute(name) {
            Some(value) => Ok(value),
            None => Err(missing(base, name)),
        },
        Value::Tuple(items) if items.len() == 2 && name == "grouper" => Ok(items[0].clone()),
        Value::Tuple(items) if items.len() == 2 && name == "list" => Ok(items[1].clone()),
        Value::Time(time) => time_part(time, name).ok_or_else(|| missing(base, name)),
        Value::Delta(microseconds) => delta_part(*microseconds, name).ok_or_else(|| missing(base, name)),
        _ if methods::exists(base, name) => {
            Ok(Value::Callable(Arc::new(Callable::Method { object: base.clone(), name: name.into() })))
        }
        _ => item_named(base, name).unwrap_or_else(|| Err(missing(base, name))),
    }
}

/// `base[key]`: the item, else Python's attribute.
pub(crate) fn item(base: &Value, key: &Value) -> Result<Value, Error> {
    key.check()?;
    let found = match (base, key) {
        (Value::Undefined(_), _) => return Ok(base.clone()),
        (_, Value::Str(name)) => {
            if let Some(found) = item_named(base, name) {
                return found;
            }
            return match base {
                Value::Map(_) | Value::Lazy(_) | Value::Scope(_) => Err(missing(base, name)),
                _ => attribute(base, name),
            };
        }
        (Value::Map(map), key) => map.get(&Key::new(key)?).cloned(),
        (Value::Lazy(thunk), key) if thunk.is_mapping() => thunk.member(&Key::new(key)?).transpose()?,
        (Value::Lazy(thunk), key) => match index(key, thunk.len()) {
            Some(index) => thunk.item(index).transpose()?,
            None => None,
        },
        (Value::List(items) | Value::Tuple(items), key) => index(key, items.len()).map(|index| items[index].clone()),
        (Value::Str(text), key) => {
            let length = text.chars().count();
            index(key, length).and_then(|index| text.chars().nth(index)).map(|found| Value::from(found.to_string()))
        }
        (Value::Range(start, end, step), key) => {
            let length = usize::try_from(crate::value::range_len(*start, *end, *step)).unwrap_or(usize::MAX);
            index(key, length).map(|index| Value::Int(start + index as i128 * step))
        }
        _ => None,
    };
    found.ok_or_else(|| {
        let message = format!("object of type '{}' has no element {}", base.type_name(), key.to_repr());
        Error::undefined(message, None)
    })
}

/// The item under a text, of whatever has such items.
fn item_named(base: &Value, name: &str) -> Option<Result<Value, Error>> {
    match base {
        Value::Map(map) => map.get(&Name(name)).cloned().map(Ok),
        Value::Lazy(thunk) => thunk.member(&Key::from(name)),
        Value::Scope(view) => view.get(name),
        _ => None,
    }
}

fn missing(base: &Value, name: &str) -> Error {
    Error::undefined(format!("object of type '{}' has no attribute '{name}'", base.type_name()), Some(name))
}

/// A Python index, negative from the end.
fn index(key: &Value, length: usize) -> Option<usize> {
    let number = key.as_int()?;
    let number = if number < 0 { number + length as i128 } else { number };
    usize::try_from(number).ok().filter(|index| *index < length)
}

/// `base[start:stop:step]`
pub(crate) fn slice(base: &Value, bounds: [Option<i128>; 3]) -> Result<Value, Error> {
    let cut = |length| positions(length, bounds);
    match base.check()? {
        Value::Str(text) => {
            let characters: Vec<char> = text.chars().collect();
            Ok(Value::from(cut(characters.len())?.into_iter().map(|index| characters[index]).collect::<String>()))
        }
        Value::List(items) => {
            Ok(Value::list(cut(items.len())?.into_iter().map(|index| items[index].clone()).collect()))
        }
        Value::Tuple(items) => {
            Ok(Value::tuple(cut(items.len())?.into_iter().map(|index| items[index].clone()).collect()))
        }
        Value::Range(..) => slice(&Value::list(super::iterate(base)?), bounds),
        other => Err(Error::undefined(format!("object of type '{}' can't be sliced", other.type_name()), None)),
    }
}

/// The positions that a slice takes (CPython's `PySlice_AdjustIndices`).
fn positions(length: usize, [start, stop, step]: [Option<i128>; 3]) -> Result<Vec<usize>, Error> {
    let (length, step) = (length as i128, step.unwrap_or(1));
    if step == 0 {
        return Err(Error::operation("slice step cannot be zero"));
    }
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let clamp = |bound: i128| (if bound < 0 { bound + length } else { bound }).clamp(low, high);
    let mut at = start.map_or(if step > 0 { 0 } else { length - 1 }, clamp);
    let end = stop.map_or(if step > 0 { length } else { -1 }, clamp);
    let mut taken = Vec::new();
    while (step > 0 && at < end) || (step < 0 && at > end) {
        taken.extend(usize::try_from(at));
        at = at.saturating_add(step);
    }
    Ok(taken)
}

fn time_part(time: &jiff::civil::DateTime, name: &str) -> Option<Value> {
    Some(Value::Int(match name {
        "year" => time.year().into(),
        "month" => time.month().into(),
        "day" => time.day().into(),
        "hour" => time.hour().into(),
        "minute" => time.minute().into(),
        "second" => time.second().into(),
        "microsecond" => i128::from(time.subsec_nanosecond()) / 1000,
        _ => return None,
    }))
}

fn delta_part(microseconds: i128, name: &str) -> Option<Value> {
    let rest = microseconds.rem_euclid(86_400_000_000);
    Some(Value::Int(match name {
        "days" => microseconds.div_euclid(86_400_000_000),
        "seconds" => rest / 1_000_000,
        "microseconds" => rest % 1_000_000,
        _ => return None,
    }))
}

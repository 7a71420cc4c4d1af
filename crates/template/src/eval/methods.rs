//! The methods of Python's types that templates call.

use super::arguments::{Args, Bound};
use super::{force, int, iterate, string_methods};
use crate::Value;
use crate::error::Error;
use crate::value::{Key, Map, compare, equal};
use std::cmp::Ordering;
use std::sync::Arc;

/// What a method gives, and its object if that has changed.
pub(crate) type Outcome = Result<(Value, Option<Value>), Error>;

const LIST: &[&str] =
    &["append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort"];
const MAP: &[&str] = &["clear", "copy", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"];

/// Whether a type has a method of that name.
pub(crate) fn exists(object: &Value, name: &str) -> bool {
    match object {
        Value::Str(_) => string_methods::NAMES.contains(&name),
        Value::List(_) => LIST.contains(&name),
        Value::Lazy(thunk) if !thunk.is_mapping() => LIST.contains(&name),
        Value::Tuple(_) => matches!(name, "count" | "index"),
        Value::Map(_) | Value::Lazy(_) => MAP.contains(&name),
        Value::Scope(_) => matches!(name, "get" | "items" | "keys" | "values"),
        Value::Time(_) => matches!(name, "strftime" | "isoformat" | "timestamp" | "date" | "time" | "weekday"),
        Value::Delta(_) => name == "total_seconds",
        Value::Int(_) => matches!(name, "bit_length" | "__and__" | "__or__" | "__xor__" | "__lshift__" | "__rshift__"),
        Value::Float(_) => name == "is_integer",
        _ => false,
    }
}

/// Whether a method of a mapping that is not rendered yet needs no more than its names, or one member.
pub(crate) fn reads_little(object: &Value, name: &str) -> bool {
    matches!(object, Value::Lazy(thunk) if thunk.is_mapping()) && matches!(name, "get" | "keys")
}

/// Calls a method.
pub(crate) fn call(object: &Value, name: &str, args: Args) -> Outcome {
    match object {
        Value::Str(text) => string_methods::call(text, name, args).map(|value| (value, None)),
        Value::List(items) => list(items, name, args),
        Value::Tuple(items) => list(items, name, args).map(|(value, _)| (value, None)),
        Value::Map(map) => dict(map, name, args),
        Value::Lazy(thunk) if reads_little(object, name) && name == "get" => {
            let [key, default] = args.bind(["key", "default"])?;
            let found = thunk.member(&Key::new(&key.need("key")?)?);
            let found = found.map(|member| member.map_or_else(Value::marker, force));
            Ok((found.unwrap_or(default.unwrap_or_default()), None))
        }
        Value::Lazy(thunk) if reads_little(object, name) => call(&thunk.hollow(), name, args),
        Value::Lazy(thunk) => call(&thunk.force(), name, args),
        Value::Scope(view) if name == "get" => {
            let [key, default] = args.bind(["key", "default"])?;
            let found = key.need("key")?.as_str().and_then(|key| view.get(key)).transpose()?;
            Ok((found.map(force).unwrap_or(default.unwrap_or_default()), None))
        }
        Value::Scope(view) if name == "keys" => {
            Ok((Value::list(view.names().into_iter().map(Value::from).collect()), None))
        }
        Value::Scope(view) => dict(&Arc::new(view.members()), name, args),
        Value::Time(time) => crate::filters::time_method(time, name, args).map(|value| (value, None)),
        Value::Delta(microseconds) => Ok((Value::Float(*microseconds as f64 / 1e6), None)),
        Value::Int(number) => bits(*number, name, args).map(|value| (value, None)),
        Value::Float(number) => Ok((Value::Bool(number.fract() == 0.0), None)),
        other => Err(Error::operation(format!("object of type '{}' has no method '{name}'", other.type_name()))),
    }
}

fn bits(number: i128, name: &str, args: Args) -> Result<Value, Error> {
    if name == "bit_length" {
        return Ok(Value::Int(i128::from(128 - number.unsigned_abs().leading_zeros())));
    }
    let [other] = args.bind(["other"])?;
    let other = int(&other.need("other")?)?;
    let places = || u32::try_from(other).ok().filter(|places| *places < 100);
    let too_far = || Error::operation("cannot shift that far");
    Ok(Value::Int(match name {
        "__and__" => number & other,
        "__or__" => number | other,
        "__xor__" => number ^ other,
        "__lshift__" => places().and_then(|places| number.checked_mul(1 << places)).ok_or_else(too_far)?,
        _ => number >> places().ok_or_else(too_far)?,
    }))
}

fn list(items: &Arc<Vec<Value>>, name: &str, args: Args) -> Outcome {
    let mut changed = items.to_vec();
    let result = match name {
        "append" => {
            let [item] = args.bind(["object"])?;
            changed.push(item.need("object")?);
            Value::None
        }
        "extend" => {
            let [more] = args.bind(["iterable"])?;
            changed.extend(iterate(&more.need("iterable")?)?);
            Value::None
        }
        "insert" => {
            let [at, item] = args.bind(["index", "object"])?;
            let at = int(&at.need("index")?)?;
            let length = changed.len() as i128;
            let at = (if at < 0 { at + length } else { at }).clamp(0, length);
            changed.insert(usize::try_from(at).unwrap_or(0), item.need("object")?);
            Value::None
        }
        "pop" => {
            let [at] = args.bind(["index"])?;
            let at = at.int_or(-1)?;
            let at = if at < 0 { at + changed.len() as i128 } else { at };
            match usize::try_from(at) {
                Ok(at) if at < changed.len() => changed.remove(at),
                _ => return Err(Error::operation("pop index out of range")),
            }
        }
        "remove" => {
            let [item] = args.bind(["value"])?;
            match position(&changed, &item.need("value")?)? {
                Some(at) => drop(changed.remove(at)),
                None => return Err(Error::operation("list.remove(x): x not in list")),
            }
            Value::None
        }
        "reverse" => {
            changed.reverse();
            Value::None
        }
        "sort" => {
            let [_, reverse] = args.bind(["key", "reverse"])?;
            sort(&mut changed)?;
            if reverse.flag_or(false)? {
                changed.reverse();
            }
            Value::None
        }
        "clear" => {
            changed.clear();
            Value::None
        }
        "copy" => return Ok((Value::List(items.clone()), None)),
        "count" => {
            let [item] = args.bind(["value"])?;
            let item = item.need("value")?;
            let mut count = 0usize;
            for candidate in items.iter() {
                count += usize::from(equal(candidate, &item)?);
            }
            return Ok((Value::from(count), None));
        }
        _ => {
            let [item] = args.bind(["value"])?;
            let item = item.need("value")?;
            return match position(items, &item)? {
                Some(at) => Ok((Value::from(at), None)),
                None => Err(Error::operation(format!("{} is not in list", item.to_repr()))),
            };
        }
    };
    Ok((result, Some(Value::list(changed))))
}

fn position(items: &[Value], wanted: &Value) -> Result<Option<usize>, Error> {
    for (index, item) in items.iter().enumerate() {
        if equal(item, wanted)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// A stable sort; the first pair without an order is the error.
pub(crate) fn sort(items: &mut [Value]) -> Result<(), Error> {
    let mut failure = None;
    items.sort_by(|a, b| {
        compare(a, b, "<").unwrap_or_else(|error| {
            failure.get_or_insert(error);
            Ordering::Equal
        })
    });
    failure.map_or(Ok(()), Err)
}

fn dict(map: &Arc<Map>, name: &str, args: Args) -> Outcome {
    // Who goes through the values meets those that can't be rendered.
    if matches!(name, "items" | "values") {
        map.values().try_for_each(|value| value.check().map(drop))?;
    }
    let pair = |(key, value): (&Key, &Value)| Value::tuple(vec![key.value(), value.clone()]);
    let read = match name {
        "items" => Value::list(map.iter().map(pair).collect()),
        "keys" => Value::list(map.keys().map(Key::value).collect()),
        "values" => Value::list(map.values().cloned().collect()),
        "copy" => Value::Map(map.clone()),
        "get" => {
            let [key, default] = args.bind(["key", "default"])?;
            map.get(&Key::new(&key.need("key")?)?).cloned().unwrap_or(default.unwrap_or_default())
        }
        _ => return change(map, name, args),
    };
    Ok((read, None))
}

fn change(map: &Map, name: &str, mut args: Args) -> Outcome {
    let mut changed = map.clone();
    let result = match name {
        "update" => {
            if !args.positional.is_empty() {
                for (key, value) in pairs(&args.shift()?)? {
                    changed.insert(key, value);
                }
            }
            changed.extend(args.named.into_iter().map(|(name, value)| (Key::Str(name), value)));
            Value::None
        }
        "pop" => {
            let [key, default] = args.bind(["key", "default"])?;
            let key = key.need("key")?;
            match (changed.shift_remove(&Key::new(&key)?), default) {
                (Some(value), _) | (None, Some(value)) => value,
                (None, None) => return Err(Error::operation(format!("no key {}", key.to_repr()))),
            }
        }
        "popitem" => match changed.pop() {
            Some((key, value)) => Value::tuple(vec![key.value(), value]),
            None => return Err(Error::operation("popitem(): dictionary is empty")),
        },
        "setdefault" => {
            let [key, default] = args.bind(["key", "default"])?;
            changed.entry(Key::new(&key.need("key")?)?).or_insert(default.unwrap_or_default()).clone()
        }
        _ => {
            changed.clear();
            Value::None
        }
    };
    Ok((result, Some(Value::map(changed))))
}

/// The entries of a dictionary, or of a list of pairs.
pub(crate) fn pairs(value: &Value) -> Result<Vec<(Key, Value)>, Error> {
    if let Value::Map(map) = value.check()? {
        return Ok(map.iter().map(|(key, value)| (key.clone(), value.clone())).collect());
    }
    let entries = iterate(value)?.into_iter().map(|pair| match iterate(&pair)?.as_slice() {
        [key, value] => Ok((Key::new(key)?, value.clone())),
        other => Err(Error::operation(format!("a pair was expected, {} item(s) were found", other.len()))),
    });
    entries.collect()
}

//! From a value inside a template to one that leaves it: rendered through and through, without `omit` and markers.

use crate::Value;
use crate::error::Error;
use crate::value::Map;
use std::sync::Arc;

/// A lazy container with its members rendered, any other value as it is.
pub(crate) fn force(value: Value) -> Value {
    match value {
        Value::Lazy(thunk) => thunk.force(),
        value => value,
    }
}

/// The value as it leaves a template; the first marker in it is the error.
pub(crate) fn finalize(value: Value) -> Result<Value, Error> {
    match value {
        Value::Undefined(marker) => Err(marker.error.clone()),
        Value::Lazy(thunk) => finalize(thunk.force()),
        Value::List(items) | Value::Tuple(items) => list(&items),
        Value::Map(map) if map.values().all(is_plain) => Ok(Value::Map(map)),
        Value::Map(map) => {
            let mut out = Map::with_capacity(map.len());
            for (key, value) in map.iter().filter(|(_, value)| !value.is_omit()) {
                out.insert(key.clone(), finalize(value.clone())?);
            }
            Ok(Value::map(out))
        }
        Value::Scope(view) => finalize(Value::map(view.members())),
        Value::Range(..) | Value::Callable(_) | Value::Delta(_) => {
            Err(Error::operation(format!("type '{}' is unsupported for variable storage", value.type_name())))
        }
        value => Ok(value),
    }
}

fn list(items: &Arc<Vec<Value>>) -> Result<Value, Error> {
    if items.iter().all(is_plain) {
        return Ok(Value::List(items.clone()));
    }
    let kept = items.iter().filter(|value| !value.is_omit());
    kept.map(|value| finalize(value.clone())).collect::<Result<Vec<_>, _>>().map(Value::list)
}

/// Whether a value needs no work: most data does not.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Str(_) | Value::Time(_) => true,
        Value::List(items) => items.iter().all(is_plain),
        Value::Map(map) => map.values().all(is_plain),
        _ => false,
    }
}

/// Raises the first marker anywhere in a value that is about to become text.
pub(crate) fn require_deep(value: &Value) -> Result<(), Error> {
    match value {
        Value::Undefined(marker) => Err(marker.error.clone()),
        Value::List(items) | Value::Tuple(items) => items.iter().try_for_each(require_deep),
        Value::Map(map) => map.values().try_for_each(require_deep),
        Value::Lazy(thunk) => require_deep(&thunk.force()),
        Value::Scope(view) => view.members().values().try_for_each(require_deep),
        _ => Ok(()),
    }
}

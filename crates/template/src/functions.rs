//! The global functions of templates.

use crate::error::Error;
use crate::eval::{Args, Callable, Exec, force, pairs};
use crate::value::Map;
use crate::{Value, filters, lookups};
use std::sync::{Arc, Mutex};

/// A global function.
pub type Function = fn(&mut Exec, Args) -> Result<Value, Error>;

const FUNCTIONS: &[(&str, Function)] = &[
    ("cycler", cycler),
    ("dict", dict),
    ("joiner", joiner),
    ("lookup", lookups::lookup),
    ("namespace", namespace),
    ("now", filters::now),
    ("q", lookups::query),
    ("query", lookups::query),
    ("range", |_, args| crate::eval::range(args)),
    ("undef", undef),
];

/// The function of that name, with the name as it lasts.
pub(crate) fn find(name: &str) -> Option<(&'static str, Function)> {
    FUNCTIONS.iter().find(|(known, _)| *known == name).copied()
}

/// The error of a function that does not exist.
pub(crate) fn unknown(name: &str) -> Error {
    let nearest = diagnostic::closest(name, FUNCTIONS.iter().map(|(known, _)| *known));
    Error::Undefined {
        message: format!("'{name}' is undefined"),
        name: Some(name.into()),
        nearest: nearest.map(Arc::from),
        place: None,
    }
}

fn dict(_: &mut Exec, mut args: Args) -> Result<Value, Error> {
    let mut map = Map::new();
    if !args.positional.is_empty() {
        map.extend(pairs(&args.shift()?)?);
    }
    map.extend(args.named.into_iter().map(|(name, value)| (crate::Key::Str(name), value)));
    Ok(Value::map(map))
}

fn namespace(exec: &mut Exec, args: Args) -> Result<Value, Error> {
    let Value::Map(map) = dict(exec, args)? else { return Ok(Value::None) };
    let mut members = crate::eval::Layer::default();
    for (name, value) in map.iter() {
        members.set(name.to_json().into(), value.clone());
    }
    Ok(Value::Callable(Arc::new(Callable::Namespace(Mutex::new(members)))))
}

fn cycler(_: &mut Exec, args: Args) -> Result<Value, Error> {
    if args.positional.is_empty() {
        return Err(Error::operation("at least one item has to be provided"));
    }
    Ok(Value::Callable(Arc::new(Callable::Cycler(args.positional, Mutex::default()))))
}

fn joiner(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [separator] = args.bind(["sep"])?;
    let separator = separator.unwrap_or_else(|| Value::from(", "));
    Ok(Value::Callable(Arc::new(Callable::Joiner(separator, Mutex::default()))))
}

fn undef(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [hint] = args.bind(["hint"])?;
    let hint = match hint.map(force) {
        Some(Value::Str(hint)) if !hint.is_empty() => hint.to_string(),
        _ => "Mandatory variable has not been overridden".to_owned(),
    };
    Ok(Value::marker(Error::undefined(hint, None)))
}

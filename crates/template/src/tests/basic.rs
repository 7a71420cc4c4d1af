//! Types, definedness, numbers and comparisons.

use super::registry::{Test, plain};
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, int};
use crate::filters;
use crate::value::{Operator, binary, equal};

pub(super) const TESTS: &[(&str, Test)] = &[
    ("!=", plain(|_, args| operator(args, Operator::Ne))),
    ("<", plain(|_, args| operator(args, Operator::Lt))),
    ("<=", plain(|_, args| operator(args, Operator::Lte))),
    ("==", plain(|_, args| operator(args, Operator::Eq))),
    (">", plain(|_, args| operator(args, Operator::Gt))),
    (">=", plain(|_, args| operator(args, Operator::Gte))),
    ("boolean", plain(|_, args| one(args, |value| matches!(value, Value::Bool(_))))),
    ("callable", plain(|_, args| one(args, |value| matches!(value, Value::Callable(_))))),
    ("defined", Test { run: |_, args| defined(args, true), takes_markers: true }),
    ("divisibleby", plain(divisible_by)),
    ("eq", plain(|_, args| operator(args, Operator::Eq))),
    ("equalto", plain(|_, args| operator(args, Operator::Eq))),
    ("escaped", plain(|_, args| one(args, |_| false))),
    ("even", plain(|_, args| remainder(args, 0))),
    ("false", plain(|_, args| one(args, |value| matches!(value, Value::Bool(false))))),
    ("falsy", plain(|_, args| truthy(args).map(|truth| !truth))),
    ("filter", plain(|_, args| one(args, |value| value.as_str().is_some_and(|name| filters::find(name).is_some())))),
    ("float", plain(|_, args| one(args, |value| matches!(value, Value::Float(_))))),
    ("ge", plain(|_, args| operator(args, Operator::Gte))),
    ("greaterthan", plain(|_, args| operator(args, Operator::Gt))),
    ("gt", plain(|_, args| operator(args, Operator::Gt))),
    ("integer", plain(|_, args| one(args, |value| matches!(value, Value::Int(_))))),
    ("isnan", plain(|_, args| one(args, is_nan))),
    ("iterable", plain(|_, args| one(args, is_iterable))),
    ("le", plain(|_, args| operator(args, Operator::Lte))),
    ("lessthan", plain(|_, args| operator(args, Operator::Lt))),
    ("lt", plain(|_, args| operator(args, Operator::Lt))),
    ("mapping", plain(|_, args| one(args, |value| matches!(value, Value::Map(_) | Value::Scope(_))))),
    ("nan", plain(|_, args| one(args, is_nan))),
    ("ne", plain(|_, args| operator(args, Operator::Ne))),
    ("none", plain(|_, args| one(args, |value| matches!(value, Value::None)))),
    ("number", plain(|_, args| one(args, |value| value.as_float().is_some()))),
    ("odd", plain(|_, args| remainder(args, 1))),
    ("sameas", plain(same_as)),
    ("sequence", plain(|_, args| one(args, is_sequence))),
    ("string", plain(|_, args| one(args, |value| matches!(value, Value::Str(_))))),
    ("test", plain(|_, args| one(args, |value| value.as_str().is_some_and(|name| super::find(name).is_some())))),
    ("true", plain(|_, args| one(args, |value| matches!(value, Value::Bool(true))))),
    ("truthy", plain(|_, args| truthy(args))),
    ("undefined", Test { run: |_, args| defined(args, false), takes_markers: true }),
    ("vault_encrypted", plain(|_, args| one(args, |_| false))),
];

pub(super) fn one(args: Args, holds: impl FnOnce(&Value) -> bool) -> Result<bool, Error> {
    let [value] = args.bind(["value"])?;
    Ok(holds(&value.need("value")?))
}

fn operator(args: Args, operator: Operator) -> Result<bool, Error> {
    let [a, b] = args.bind(["a", "b"])?;
    binary(operator, &a.need("a")?, &b.need("b")?)?.truth()
}

/// Whether something is there. What a filter failed to give is neither defined nor undefined: its error stands.
fn defined(args: Args, wanted: bool) -> Result<bool, Error> {
    let [value] = args.bind(["value"])?;
    let value = value.unwrap_or_default();
    if value.is_undefined() || value.is_blank() {
        return Ok(!wanted);
    }
    value.check().map(|_| wanted)
}

fn truthy(args: Args) -> Result<bool, Error> {
    let [value, convert] = args.bind(["value", "convert_bool"])?;
    let value = value.need("value")?;
    if convert.flag_or(false)? {
        let text = value.to_text().to_lowercase();
        // ansible-core's `parsing.convert_bool`.
        if ["y", "yes", "on", "1", "true", "t", "1.0"].contains(&text.as_str()) {
            return Ok(true);
        }
        if ["n", "no", "off", "0", "false", "f", "0.0"].contains(&text.as_str()) {
            return Ok(false);
        }
    }
    value.truth()
}

fn remainder(args: Args, wanted: i128) -> Result<bool, Error> {
    let [value] = args.bind(["value"])?;
    equal(&binary(Operator::Rem, &number(value.need("value")?)?, &Value::Int(2))?, &Value::Int(wanted))
}

fn number(value: Value) -> Result<Value, Error> {
    match value {
        value @ (Value::Int(_) | Value::Bool(_) | Value::Float(_)) => Ok(value),
        other => Err(Error::operation(format!("a number is needed, not '{}'", other.type_name()))),
    }
}

fn divisible_by(_: &mut Exec, args: Args) -> Result<bool, Error> {
    let [value, by] = args.bind(["value", "num"])?;
    let by = Value::Int(int(&by.need("num")?)?);
    equal(&binary(Operator::Rem, &number(value.need("value")?)?, &by)?, &Value::Int(0))
}

/// Python's `is`: here the same type and value.
fn same_as(_: &mut Exec, args: Args) -> Result<bool, Error> {
    let [a, b] = args.bind(["value", "other"])?;
    let (a, b) = (a.need("value")?, b.need("other")?);
    Ok(a.type_name() == b.type_name() && equal(&a, &b)?)
}

fn is_nan(value: &Value) -> bool {
    matches!(value, Value::Float(number) if number.is_nan())
}

fn is_sequence(value: &Value) -> bool {
    matches!(
        value,
        Value::Str(_) | Value::List(_) | Value::Tuple(_) | Value::Map(_) | Value::Range(..) | Value::Scope(_)
    )
}

fn is_iterable(value: &Value) -> bool {
    is_sequence(value)
}

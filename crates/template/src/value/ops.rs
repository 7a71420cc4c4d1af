//! Arithmetic, concatenation and membership, as Python has them.

use super::order::range_len;
use super::{Key, Value, compare, equal};
use crate::error::Error;
use std::cmp::Ordering;
use std::sync::Arc;

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Rem,
    Pow,
    Concat,
    Eq,
    Ne,
    Lt,
    Lte,
    Gt,
    Gte,
    In,
    NotIn,
}

impl Operator {
    fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::FloorDiv => "//",
            Self::Rem => "%",
            Self::Pow => "**",
            Self::Concat => "~",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Lte => "<=",
            Self::Gt => ">",
            Self::Gte => ">=",
            Self::In => "in",
            Self::NotIn => "not in",
        }
    }
}

/// No text or list that a template multiplies may grow beyond this many items: a slip must not eat the memory.
const LARGEST_REPEAT: usize = 50_000_000;

/// The value of `a op b`. Lazy containers must have been forced.
pub(crate) fn binary(op: Operator, a: &Value, b: &Value) -> Result<Value, Error> {
    a.check()?;
    b.check()?;
    match op {
        Operator::Eq => equal(a, b).map(Value::Bool),
        Operator::Ne => equal(a, b).map(|same| Value::Bool(!same)),
        Operator::Lt => compare(a, b, "<").map(|order| Value::Bool(ordered(a, b) && order == Ordering::Less)),
        Operator::Lte => compare(a, b, "<=").map(|order| Value::Bool(ordered(a, b) && order != Ordering::Greater)),
        Operator::Gt => compare(a, b, ">").map(|order| Value::Bool(ordered(a, b) && order == Ordering::Greater)),
        Operator::Gte => compare(a, b, ">=").map(|order| Value::Bool(ordered(a, b) && order != Ordering::Less)),
        Operator::In => contains(b, a).map(Value::Bool),
        Operator::NotIn => contains(b, a).map(|found| Value::Bool(!found)),
        Operator::Concat => concat(a, b),
        Operator::Rem if a.as_str().is_some() => crate::text::percent(a.as_str().unwrap_or_default(), b),
        _ => arithmetic(op, a, b),
    }
}

/// NaN is not ordered with anything.
fn ordered(a: &Value, b: &Value) -> bool {
    !matches!(a, Value::Float(number) if number.is_nan()) && !matches!(b, Value::Float(number) if number.is_nan())
}

fn concat(a: &Value, b: &Value) -> Result<Value, Error> {
    crate::eval::require_deep(a)?;
    crate::eval::require_deep(b)?;
    Ok(Value::from(a.to_text() + &b.to_text()))
}

fn arithmetic(op: Operator, a: &Value, b: &Value) -> Result<Value, Error> {
    match (op, a, b) {
        (Operator::Add, Value::Str(a), Value::Str(b)) => Ok(Value::from(format!("{a}{b}"))),
        (Operator::Add, Value::List(a), Value::List(b)) => Ok(Value::list(a.iter().chain(b.iter()).cloned().collect())),
        (Operator::Add, Value::Tuple(a), Value::Tuple(b)) => {
            Ok(Value::tuple(a.iter().chain(b.iter()).cloned().collect()))
        }
        (Operator::Sub, Value::Time(a), Value::Time(b)) => time_difference(*a, *b),
        (Operator::Add, Value::Time(time), Value::Delta(delta))
        | (Operator::Add, Value::Delta(delta), Value::Time(time)) => shift(*time, *delta),
        (Operator::Sub, Value::Time(time), Value::Delta(delta)) => shift(*time, -*delta),
        (Operator::Add, Value::Delta(a), Value::Delta(b)) => Ok(Value::Delta(a + b)),
        (Operator::Sub, Value::Delta(a), Value::Delta(b)) => Ok(Value::Delta(a - b)),
        (Operator::Mul, text @ (Value::Str(_) | Value::List(_) | Value::Tuple(_)), count)
        | (Operator::Mul, count, text @ (Value::Str(_) | Value::List(_) | Value::Tuple(_)))
            if count.as_int().is_some() =>
        {
            repeat(text, count.as_int().unwrap_or(0))
        }
        _ => numbers(op, a, b),
    }
}

fn time_difference(a: jiff::civil::DateTime, b: jiff::civil::DateTime) -> Result<Value, Error> {
    let span = a.duration_since(b);
    Ok(Value::Delta(span.as_micros()))
}

fn shift(time: jiff::civil::DateTime, microseconds: i128) -> Result<Value, Error> {
    let delta = i64::try_from(microseconds).map_err(|_| Error::operation("date value out of range"))?;
    time.checked_add(jiff::SignedDuration::from_micros(delta))
        .map(Value::Time)
        .map_err(|_| Error::operation("date value out of range"))
}

fn repeat(value: &Value, count: i128) -> Result<Value, Error> {
    let count = usize::try_from(count.max(0)).unwrap_or(usize::MAX);
    let length = match value {
        Value::Str(text) => text.len(),
        other => other.as_sequence().map_or(0, <[Value]>::len),
    };
    if length.saturating_mul(count) > LARGEST_REPEAT {
        return Err(Error::operation("the result of `*` is too large"));
    }
    Ok(match value {
        Value::Str(text) => Value::from(text.repeat(count)),
        Value::Tuple(items) => Value::tuple(repeat_items(items, count)),
        other => Value::list(repeat_items(other.as_sequence().unwrap_or_default(), count)),
    })
}

fn repeat_items(items: &[Value], count: usize) -> Vec<Value> {
    std::iter::repeat_n(items, if items.is_empty() { 0 } else { count }).flatten().cloned().collect()
}

fn numbers(op: Operator, a: &Value, b: &Value) -> Result<Value, Error> {
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
        return integers(op, x, y);
    }
    let (Some(x), Some(y)) = (a.as_float(), b.as_float()) else {
        return Err(unsupported(op, a, b));
    };
    let zero = || Error::operation("division by zero");
    Ok(Value::Float(match op {
        Operator::Add => x + y,
        Operator::Sub => x - y,
        Operator::Mul => x * y,
        Operator::Div if y == 0.0 => return Err(zero()),
        Operator::Div => x / y,
        Operator::FloorDiv if y == 0.0 => return Err(zero()),
        Operator::FloorDiv => (x / y).floor(),
        Operator::Rem if y == 0.0 => return Err(zero()),
        Operator::Rem => x - y * (x / y).floor(),
        Operator::Pow => x.powf(y),
        _ => return Err(unsupported(op, a, b)),
    }))
}

fn integers(op: Operator, x: i128, y: i128) -> Result<Value, Error> {
    let too_large = || Error::operation(format!("the result of `{}` is too large", op.symbol()));
    let zero = || Error::operation("division by zero");
    Ok(Value::Int(match op {
        Operator::Add => x.checked_add(y).ok_or_else(too_large)?,
        Operator::Sub => x.checked_sub(y).ok_or_else(too_large)?,
        Operator::Mul => x.checked_mul(y).ok_or_else(too_large)?,
        Operator::Div | Operator::FloorDiv | Operator::Rem if y == 0 => return Err(zero()),
        Operator::Div => return Ok(Value::Float(x as f64 / y as f64)),
        Operator::FloorDiv => floor_div(x, y).ok_or_else(too_large)?,
        Operator::Rem => {
            let quotient = floor_div(x, y).ok_or_else(too_large)?;
            x - quotient * y
        }
        Operator::Pow if y < 0 && x == 0 => return Err(zero()),
        Operator::Pow if y < 0 => return Ok(Value::Float((x as f64).powf(y as f64))),
        Operator::Pow => u32::try_from(y).ok().and_then(|y| x.checked_pow(y)).ok_or_else(too_large)?,
        _ => return Err(unsupported(op, &Value::Int(x), &Value::Int(y))),
    }))
}

fn floor_div(x: i128, y: i128) -> Option<i128> {
    let quotient = x.checked_div(y)?;
    Some(if x % y != 0 && (x < 0) != (y < 0) { quotient - 1 } else { quotient })
}

fn unsupported(op: Operator, a: &Value, b: &Value) -> Error {
    if op == Operator::Add && (a.as_str().is_some() || a.as_sequence().is_some()) {
        let own = a.type_name();
        return Error::operation(format!("can only concatenate {own} (not \"{}\") to {own}", b.type_name()));
    }
    Error::operation(format!(
        "unsupported operand type(s) for {}: '{}' and '{}'",
        op.symbol(),
        a.type_name(),
        b.type_name()
    ))
}

/// The value of `-a` or `+a`.
pub(crate) fn negate(value: &Value) -> Result<Value, Error> {
    match value.check()? {
        Value::Float(number) => Ok(Value::Float(-number)),
        Value::Delta(microseconds) => Ok(Value::Delta(-microseconds)),
        other => match other.as_int() {
            Some(number) => Ok(Value::Int(-number)),
            None => Err(Error::operation(format!("bad operand type for unary -: '{}'", other.type_name()))),
        },
    }
}

/// The value of `item in container`.
pub(crate) fn contains(container: &Value, item: &Value) -> Result<bool, Error> {
    item.check()?;
    match container.check()? {
        Value::Str(text) => match item {
            Value::Str(part) => Ok(text.contains(&**part)),
            other => {
                let found = other.type_name();
                Err(Error::operation(format!("'in <string>' requires string as left operand, not {found}")))
            }
        },
        Value::List(items) | Value::Tuple(items) => {
            for candidate in items.iter() {
                if equal(candidate, item)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Map(map) => Ok(map.contains_key(&Key::new(item)?)),
        Value::Range(start, end, step) => Ok(item.as_int().is_some_and(|number| {
            let distance = number - start;
            *step != 0 && distance % step == 0 && (0..range_len(*start, *end, *step)).contains(&(distance / step))
        })),
        Value::Scope(view) => Ok(item.as_str().is_some_and(|name| view.contains(name))),
        Value::Lazy(thunk) if thunk.is_mapping() => contains(&thunk.hollow(), item),
        Value::Lazy(thunk) => contains(&Arc::clone(thunk).force(), item),
        other => Err(Error::operation(format!("argument of type '{}' is not iterable", other.type_name()))),
    }
}

//! `default`, `mandatory`, `ternary`, and conversions between types.

use super::registry::{Filter, plain, tolerant};
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, force, text};

pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("bool", plain(bool)),
    ("d", tolerant(default)),
    ("default", tolerant(default)),
    ("float", plain(float)),
    ("int", plain(int)),
    ("mandatory", tolerant(mandatory)),
    ("string", plain(string)),
    ("ternary", tolerant(ternary)),
    ("type_debug", tolerant(type_debug)),
];

fn default(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, default, boolean] = args.bind(["value", "default_value", "boolean"])?;
    let value = value.unwrap_or_default();
    let default = default.unwrap_or_else(|| Value::from(""));
    if value.is_undefined() {
        return Ok(default);
    }
    match boolean {
        Some(Value::Bool(true)) if !value.truth()? => Ok(default),
        None | Some(Value::Bool(_)) => Ok(value),
        Some(other) => {
            let found = other.type_name();
            Err(Error::operation(format!("The 'boolean' argument must be of type 'bool', not '{found}'.")))
        }
    }
}

fn mandatory(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, message] = args.bind(["a", "msg"])?;
    let value = value.unwrap_or_default();
    let Value::Undefined(marker) = &value else { return Ok(value) };
    if !marker.is_undefined {
        return Ok(value);
    }
    if let Some(message) = message.given() {
        return Err(Error::operation(text(&message)?));
    }
    Err(Error::operation(match &marker.error {
        Error::Undefined { name: Some(name), .. } => format!("Mandatory variable '{name}' not defined."),
        _ => "Mandatory variable not defined.".to_owned(),
    }))
}

fn ternary(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, yes, no, none] = args.bind(["value", "true_val", "false_val", "none_val"])?;
    let value = value.unwrap_or_default();
    let missing = |name| Error::operation(format!("needs the argument `{name}`"));
    let (yes, no) = (yes.ok_or_else(|| missing("true_val"))?, no.ok_or_else(|| missing("false_val"))?);
    match (&value, none.given()) {
        (Value::None, Some(none)) => Ok(none),
        _ if value.truth()? => Ok(yes),
        _ => Ok(no),
    }
}

fn type_debug(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value] = args.bind(["obj"])?;
    Ok(Value::from(value.unwrap_or_default().type_name()))
}

fn string(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value] = args.bind(["object"])?;
    match value.need("object")? {
        value @ Value::Str(_) => Ok(value),
        value => text(&value).map(Value::from),
    }
}

/// What Ansible's `bool` takes for true and false; anything else is false, as it still is in 2.19 with a warning.
pub(crate) fn to_bool(value: &Value) -> bool {
    let text = match value {
        Value::Str(text) => text.to_lowercase(),
        Value::Bool(flag) => return *flag,
        Value::Int(number) => return *number == 1,
        Value::Float(number) => return *number == 1.0,
        _ => return false,
    };
    matches!(text.as_str(), "yes" | "on" | "true" | "1")
}

fn bool(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value] = args.bind(["value"])?;
    Ok(Value::Bool(to_bool(&value.need("value")?)))
}

fn int(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, default, base] = args.bind(["value", "default", "base"])?;
    let value = value.need("value")?;
    let base = u32::try_from(base.int_or(10)?).ok().filter(|base| (2..=36).contains(base));
    let base = base.ok_or_else(|| Error::operation("int() base must be >= 2 and <= 36"))?;
    Ok(to_int(&value, base).map_or_else(|| default.map(force).unwrap_or(Value::Int(0)), Value::Int))
}

/// Jinja's `int`: whole numbers, the whole part of others, text of either.
pub(crate) fn to_int(value: &Value, base: u32) -> Option<i128> {
    let truncate = |number: f64| (number.is_finite() && number.abs() < 1e38).then_some(number.trunc() as i128);
    match value {
        Value::Str(text) => {
            let trimmed = text.trim();
            let (sign, digits) =
                trimmed.strip_prefix('-').map_or((1, trimmed.strip_prefix('+').unwrap_or(trimmed)), |d| (-1, d));
            let lower = digits.to_lowercase();
            let prefix = match base {
                2 => "0b",
                8 => "0o",
                16 => "0x",
                _ => "",
            };
            let plain = lower.strip_prefix(prefix).unwrap_or(&lower).replace('_', "");
            if plain.starts_with(['+', '-']) {
                return None;
            }
            match i128::from_str_radix(&plain, base) {
                Ok(number) => Some(sign * number),
                Err(_) => trimmed.parse::<f64>().ok().and_then(truncate),
            }
        }
        Value::Float(number) => truncate(*number),
        other => other.as_int(),
    }
}

fn float(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, default] = args.bind(["value", "default"])?;
    let number = match value.need("value")? {
        Value::Str(text) => text.trim().replace('_', "").parse::<f64>().ok(),
        other => other.as_float(),
    };
    Ok(number.map_or_else(|| default.map(force).unwrap_or(Value::Float(0.0)), Value::Float))
}

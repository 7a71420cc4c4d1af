//! Numbers: `abs`, `round`, `log`, `human_readable`, …

use super::registry::{Filter, plain};
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, text};

pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("abs", plain(abs)),
    ("filesizeformat", plain(filesizeformat)),
    ("human_readable", plain(human_readable)),
    ("human_to_bytes", plain(human_to_bytes)),
    ("log", plain(log)),
    ("pow", plain(pow)),
    ("root", plain(root)),
    ("round", plain(round)),
];

fn number(value: Option<Value>, name: &str, filter: &str) -> Result<f64, Error> {
    let value = value.need(name)?;
    value.as_float().ok_or_else(|| Error::operation(format!("{filter}() can only be used on numbers")))
}

fn abs(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value] = args.bind(["x"])?;
    match value.need("x")? {
        Value::Float(number) => Ok(Value::Float(number.abs())),
        value => match value.as_int() {
            Some(number) => Ok(Value::Int(number.abs())),
            None => Err(Error::operation(format!("bad operand type for abs(): '{}'", value.type_name()))),
        },
    }
}

fn round(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, precision, method] = args.bind(["value", "precision", "method"])?;
    let value = value.need("value")?;
    let precision = i32::try_from(precision.int_or(0)?.clamp(-300, 300)).unwrap_or(0);
    let Some(number) = value.as_float() else {
        return Err(Error::operation(format!("type {} doesn't define __round__ method", value.type_name())));
    };
    let scale = 10f64.powi(precision);
    match method.text_or("common")?.as_str() {
        "common" => Ok(match value.as_int() {
            Some(whole) => Value::Int(if precision >= 0 { whole } else { round_int(whole, precision) }),
            None => Value::Float(round_half_even(number, precision)),
        }),
        "ceil" => Ok(Value::Float((number * scale).ceil() / scale)),
        "floor" => Ok(Value::Float((number * scale).floor() / scale)),
        _ => Err(Error::operation("method must be common, ceil or floor")),
    }
}

/// Python's `round` of an integer to tens, hundreds, …: half goes to even.
fn round_int(number: i128, precision: i32) -> i128 {
    let Some(unit) = 10i128.checked_pow(precision.unsigned_abs()) else { return 0 };
    let (quotient, rest) = (number.div_euclid(unit), number.rem_euclid(unit));
    let up = rest * 2 > unit || (rest * 2 == unit && quotient % 2 != 0);
    (quotient + i128::from(up)) * unit
}

/// Python rounds the exact decimal value, half to even; Rust's formatting does the same.
fn round_half_even(number: f64, precision: i32) -> f64 {
    if !number.is_finite() {
        return number;
    }
    match usize::try_from(precision) {
        Ok(digits) => format!("{number:.digits$}").parse().unwrap_or(number),
        Err(_) => {
            let scale = 10f64.powi(-precision);
            (number / scale).round_ties_even() * scale
        }
    }
}

fn log(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, base] = args.bind(["x", "base"])?;
    let number = number(value, "x", "log")?;
    if number <= 0.0 {
        return Err(Error::operation("math domain error"));
    }
    Ok(Value::Float(match base {
        None => number.ln(),
        Some(base) => match base.as_float() {
            Some(10.0) => number.log10(),
            Some(base) if base > 0.0 && base != 1.0 => number.ln() / base.ln(),
            _ => return Err(Error::operation("math domain error")),
        },
    }))
}

fn pow(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, power] = args.bind(["x", "y"])?;
    Ok(Value::Float(number(value, "x", "pow")?.powf(number(power, "y", "pow")?)))
}

fn root(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, base] = args.bind(["x", "base"])?;
    let value = number(value, "x", "root")?;
    let base = base.map_or(Ok(2.0), |base| number(Some(base), "base", "root"))?;
    if base == 2.0 && value < 0.0 || base == 0.0 {
        return Err(Error::operation("root() can only be used on numbers"));
    }
    Ok(Value::Float(if base == 2.0 { value.sqrt() } else { value.powf(1.0 / base) }))
}

/// From the largest to bytes (ansible-core's `formatters.SIZE_RANGES`).
const UNITS: [(char, &str, i32); 9] = [
    ('Y', "yotta", 80),
    ('Z', "zeta", 70),
    ('E', "exa", 60),
    ('P', "peta", 50),
    ('T', "tera", 40),
    ('G', "giga", 30),
    ('M', "mega", 20),
    ('K', "kilo", 10),
    ('B', "", 0),
];

fn human_readable(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [size, bits, unit] = args.bind(["size", "isbits", "unit"])?;
    let size = size.need("size")?.as_float().ok_or_else(|| Error::operation("human_readable() failed on bad input"))?;
    let bits = bits.flag_or(false)?;
    let unit = unit.given().map(|unit| text(&unit)).transpose()?.map(|unit| unit.to_uppercase());
    let fits = |(letter, _, power): &(char, &str, i32)| match &unit {
        Some(unit) => *unit == letter.to_string(),
        None => size >= 2f64.powi(*power),
    };
    let (letter, _, power) = UNITS.iter().copied().find(fits).unwrap_or(('B', "", 0));
    let suffix = match (power, bits) {
        (0, false) => "Bytes".to_owned(),
        (0, true) => "bits".to_owned(),
        (_, false) => format!("{letter}B"),
        (_, true) => format!("{letter}b"),
    };
    Ok(Value::from(format!("{:.2} {suffix}", size / 2f64.powi(power))))
}

fn human_to_bytes(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [size, default_unit, bits] = args.bind(["size", "default_unit", "isbits"])?;
    let size = text(&size.need("size")?)?;
    let bits = bits.flag_or(false)?;
    let bad = || Error::operation(format!("human_to_bytes() can't interpret the input `{size}`"));
    let digits = size.len() - size.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    let (digits, unit) = size.split_at(digits);
    let number: f64 = if digits.ends_with('.') { return Err(bad()) } else { digits.parse().map_err(|_| bad())? };
    let unit = match unit.trim() {
        "" => default_unit.given().map(|unit| text(&unit)).transpose()?.unwrap_or_default(),
        unit => unit.to_owned(),
    };
    let Some(first) = unit.chars().next() else {
        return Ok(Value::Int(number.round_ties_even() as i128));
    };
    let letter = first.to_ascii_uppercase();
    let (_, word, power) = UNITS.iter().copied().find(|(known, ..)| *known == letter).ok_or_else(bad)?;
    if unit.len() > 1 {
        let long = format!("{word}{}", if bits { "bit" } else { "byte" });
        let short = match (letter, bits) {
            ('B', false) => "B".to_owned(),
            ('B', true) => "b".to_owned(),
            (letter, false) => format!("{letter}B"),
            (letter, true) => format!("{letter}b"),
        };
        if unit.to_lowercase() != long && unit != short {
            return Err(bad());
        }
    }
    Ok(Value::Int((number * 2f64.powi(power)).round_ties_even() as i128))
}

fn filesizeformat(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, binary] = args.bind(["value", "binary"])?;
    let bytes = match value.need("value")? {
        Value::Str(text) => text.trim().parse().map_err(|_| Error::operation("could not convert string to float"))?,
        value => value.as_float().ok_or_else(|| Error::operation("a number is needed"))?,
    };
    let binary = binary.flag_or(false)?;
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    if bytes == 1.0 {
        return Ok(Value::from("1 Byte"));
    }
    if bytes < base {
        return Ok(Value::from(format!("{} Bytes", bytes.trunc())));
    }
    let prefixes = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
    let mut unit = base * base;
    for (index, prefix) in prefixes.iter().enumerate() {
        if bytes < unit || index + 1 == prefixes.len() {
            let prefix = if binary { format!("{}i", prefix.to_uppercase()) } else { (*prefix).to_owned() };
            return Ok(Value::from(format!("{:.1} {prefix}B", base * bytes / unit)));
        }
        unit *= base;
    }
    Ok(Value::from(""))
}

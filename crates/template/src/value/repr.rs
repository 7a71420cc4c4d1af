//! Values as Python prints them: `str()` inside text, `repr()` inside containers.

use super::{Key, Map, Value};
use std::fmt::Write;

impl Value {
    /// Python's `str()`.
    pub fn to_text(&self) -> String {
        match self {
            Self::Str(text) => text.to_string(),
            Self::Time(time) => time_text(time),
            Self::Delta(microseconds) => delta_text(*microseconds),
            other => other.to_repr(),
        }
    }

    /// Python's `repr()`.
    pub fn to_repr(&self) -> String {
        let mut out = String::new();
        write_repr(&mut out, self);
        out
    }
}

fn write_repr(out: &mut String, value: &Value) {
    match value {
        Value::Undefined(_) => out.push_str("Undefined"),
        Value::Omit => out.push_str("<<Omit>>"),
        Value::None => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Float(number) => out.push_str(&float_text(*number)),
        Value::Str(text) => write_string(out, text),
        Value::List(items) => write_items(out, items, "[", "]"),
        Value::Tuple(items) if items.len() == 1 => write_items(out, items, "(", ",)"),
        Value::Tuple(items) => write_items(out, items, "(", ")"),
        Value::Map(map) => write_map(out, map),
        Value::Range(start, end, 1) => {
            let _ = write!(out, "range({start}, {end})");
        }
        Value::Range(start, end, step) => {
            let _ = write!(out, "range({start}, {end}, {step})");
        }
        Value::Time(time) => out.push_str(&time_text(time)),
        Value::Delta(microseconds) => out.push_str(&delta_text(*microseconds)),
        Value::Scope(view) => write_map(out, &view.members()),
        Value::Lazy(thunk) => write_repr(out, &thunk.force()),
        Value::Callable(callable) => {
            let _ = write!(out, "<{}>", callable.describe());
        }
    }
}

fn write_items(out: &mut String, items: &[Value], open: &str, close: &str) {
    out.push_str(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_repr(out, item);
    }
    out.push_str(close);
}

fn write_map(out: &mut String, map: &Map) {
    out.push('{');
    for (index, (key, value)) in map.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_key(out, key);
        out.push_str(": ");
        write_repr(out, value);
    }
    out.push('}');
}

fn write_key(out: &mut String, key: &Key) {
    match key {
        Key::Str(text) => write_string(out, text),
        other => write_repr(out, &other.value()),
    }
}

/// Single quotes unless the text has some and no double ones (CPython's `unicode_repr`).
fn write_string(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if (c as u32) < 0x20 || (0x7f..0xa1).contains(&(c as u32)) || c == '\u{ad}' => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c if !is_printable(c) => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}

/// Spaces, marks of direction and private characters of the basic plane, which Python escapes (`str.isprintable`).
fn is_printable(character: char) -> bool {
    !matches!(character, '\u{1680}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}'
        | '\u{3000}' | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// The shortest digits that read back, with an exponent from 1e16 on and below 1e-4 (CPython's `float_repr_style` short).
pub fn float_text(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = match exponent.strip_prefix('-') {
            Some(rest) => ('-', rest),
            None => ('+', exponent),
        };
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    let text = format!("{number}");
    if text.contains('.') { text } else { format!("{text}.0") }
}

fn time_text(time: &jiff::civil::DateTime) -> String {
    let seconds = time.strftime("%Y-%m-%d %H:%M:%S").to_string();
    match time.subsec_nanosecond() / 1000 {
        0 => seconds,
        microseconds => format!("{seconds}.{microseconds:06}"),
    }
}

fn delta_text(microseconds: i128) -> String {
    let days = microseconds.div_euclid(86_400_000_000);
    let rest = microseconds.rem_euclid(86_400_000_000);
    let seconds = rest / 1_000_000;
    let mut out = match days {
        0 => String::new(),
        1 | -1 => format!("{days} day, "),
        _ => format!("{days} days, "),
    };
    let _ = write!(out, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if rest % 1_000_000 != 0 {
        let _ = write!(out, ".{:06}", rest % 1_000_000);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    // Expected values: CPython 3.
    #[rstest]
    #[case(1.0, "1.0")]
    #[case(0.1, "0.1")]
    #[case(1e16, "1e+16")]
    #[case(123456789012345.0, "123456789012345.0")]
    #[case(1e-5, "1e-05")]
    #[case(-0.0001, "-0.0001")]
    #[case(1.5e300, "1.5e+300")]
    #[case(f64::NAN, "nan")]
    fn floats_print_as_in_python(#[case] number: f64, #[case] expected: &str) {
        assert_eq!(float_text(number), expected);
    }

    #[rstest]
    #[case("a", "'a'")]
    #[case("it's", "\"it's\"")]
    #[case("a'b\"c", "'a\\'b\"c'")]
    #[case("a\nb\\", "'a\\nb\\\\'")]
    #[case("é", "'é'")]
    fn strings_are_quoted_as_in_python(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(Value::from(text).to_repr(), expected);
    }
}

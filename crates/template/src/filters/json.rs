//! `to_json`, `to_nice_json`, `from_json`, `tojson`, written as Python's `json` writes them.

use super::registry::{Filter, plain};
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, require_deep, text};
use crate::value::{Key, float_text};
use std::fmt::Write;

pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("from_json", plain(from_json)),
    ("to_json", plain(to_json)),
    ("to_nice_json", plain(to_nice_json)),
    ("tojson", plain(tojson)),
];

/// How JSON is laid out.
pub(crate) struct Layout {
    indent: Option<String>,
    sort_keys: bool,
    ascii: bool,
    between: String,
    after_key: String,
}

fn layout(args: &mut Args, indent: Option<Value>, sort_keys: bool) -> Result<Layout, Error> {
    let indent = args.take("indent").or(indent);
    let indent = match indent.given() {
        None => None,
        Some(Value::Str(text)) => Some(text.to_string()),
        Some(value) => Some(" ".repeat(usize::try_from(crate::eval::int(&value)?.clamp(0, 64)).unwrap_or(0))),
    };
    let sort_keys = args.take("sort_keys").flag_or(sort_keys)?;
    let ascii = args.take("ensure_ascii").flag_or(true)?;
    let (mut between, mut after_key) = (if indent.is_some() { "," } else { ", " }.to_owned(), ": ".to_owned());
    if let Some(separators) = args.take("separators").given() {
        match crate::eval::iterate(&separators)?.as_slice() {
            [item, key] => (between, after_key) = (text(item)?, text(key)?),
            _ => return Err(Error::operation("`separators` must be two texts")),
        }
    }
    for ignored in ["profile", "vault_to_text", "preprocess_unsafe", "allow_nan", "skipkeys", "check_circular"] {
        args.take(ignored);
    }
    Ok(Layout { indent, sort_keys, ascii, between, after_key })
}

fn to_json(_: &mut Exec, mut args: Args) -> Result<Value, Error> {
    let layout = layout(&mut args, None, false)?;
    let [value] = args.bind(["a"])?;
    dump(&value.need("a")?, &layout).map(Value::from)
}

fn to_nice_json(_: &mut Exec, mut args: Args) -> Result<Value, Error> {
    args.take("separators");
    let mut layout = layout(&mut args, Some(Value::Int(4)), true)?;
    (layout.between, layout.after_key) = (",".to_owned(), ": ".to_owned());
    let [value, indent, sort_keys] = args.bind(["a", "indent", "sort_keys"])?;
    if let Some(indent) = indent {
        layout.indent = Some(" ".repeat(usize::try_from(crate::eval::int(&indent)?.clamp(0, 64)).unwrap_or(0)));
    }
    layout.sort_keys = sort_keys.flag_or(layout.sort_keys)?;
    dump(&value.need("a")?, &layout).map(Value::from)
}

fn tojson(_: &mut Exec, mut args: Args) -> Result<Value, Error> {
    let indent = args.take("indent");
    let [value, second] = args.bind(["value", "indent"])?;
    let mut none = Args::default();
    let layout = layout(&mut none, indent.or(second), true)?;
    let text = dump(&value.need("value")?, &layout)?;
    // Jinja makes the result safe inside HTML.
    Ok(Value::from(
        text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\'', "\\u0027"),
    ))
}

fn from_json(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, _] = args.bind(["a", "profile"])?;
    match value.need("a")? {
        Value::Str(text) => {
            let parsed: serde_json::Value = serde_json::from_str(&text)
                .map_err(|error| Error::operation(format!("the text is no JSON: {error}")))?;
            Ok(Value::from(parsed))
        }
        other => {
            let found = other.type_name();
            Err(Error::operation(format!("the JSON object must be str, bytes or bytearray, not {found}")))
        }
    }
}

fn dump(value: &Value, layout: &Layout) -> Result<String, Error> {
    require_deep(value)?;
    let mut out = String::new();
    write(&mut out, value, layout, 0)?;
    Ok(out)
}

fn write(out: &mut String, value: &Value, layout: &Layout, depth: usize) -> Result<(), Error> {
    match value {
        Value::None => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => drop(write!(out, "{number}")),
        Value::Float(number) if number.is_nan() => out.push_str("NaN"),
        Value::Float(number) if number.is_infinite() => {
            out.push_str(if *number > 0.0 { "Infinity" } else { "-Infinity" })
        }
        Value::Float(number) => out.push_str(&float_text(*number)),
        Value::Str(text) => write_string(out, text, layout.ascii),
        Value::Time(time) => write_string(out, &time.strftime("%Y-%m-%dT%H:%M:%S").to_string(), layout.ascii),
        Value::List(items) | Value::Tuple(items) => {
            surround(out, "[", "]", items.len(), layout, depth, |out, index| {
                write(out, &items[index], layout, depth + 1)
            })?;
        }
        Value::Map(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            if layout.sort_keys {
                sort_keys(&mut entries)?;
            }
            surround(out, "{", "}", entries.len(), layout, depth, |out, index| {
                let (key, value) = entries[index];
                write_string(out, &key.to_json(), layout.ascii);
                out.push_str(&layout.after_key);
                write(out, value, layout, depth + 1)
            })?;
        }
        Value::Lazy(thunk) => write(out, &thunk.force(), layout, depth)?,
        other => {
            return Err(Error::operation(format!("Object of type {} is not JSON serializable", other.type_name())));
        }
    }
    Ok(())
}

/// Sorts entries by key; keys of different types have no order in Python.
fn sort_keys(entries: &mut [(&Key, &Value)]) -> Result<(), Error> {
    let mut failure = None;
    entries.sort_by(|(a, _), (b, _)| {
        crate::value::compare(&a.value(), &b.value(), "<").unwrap_or_else(|error| {
            failure.get_or_insert(error);
            std::cmp::Ordering::Equal
        })
    });
    failure.map_or(Ok(()), Err)
}

fn surround(
    out: &mut String,
    open: &str,
    close: &str,
    count: usize,
    layout: &Layout,
    depth: usize,
    mut item: impl FnMut(&mut String, usize) -> Result<(), Error>,
) -> Result<(), Error> {
    out.push_str(open);
    let new_line = |out: &mut String, depth: usize| {
        if let Some(indent) = &layout.indent {
            out.push('\n');
            out.push_str(&indent.repeat(depth));
        }
    };
    for index in 0..count {
        if index > 0 {
            out.push_str(&layout.between);
        }
        new_line(out, depth + 1);
        item(out, index)?;
    }
    if count > 0 {
        new_line(out, depth);
    }
    out.push_str(close);
    Ok(())
}

fn write_string(out: &mut String, text: &str, ascii: bool) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || (ascii && !c.is_ascii()) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

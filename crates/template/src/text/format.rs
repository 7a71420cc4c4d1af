//! `'{} {name:>8}'.format(…)`

use super::spec::Spec;
use crate::Value;
use crate::error::Error;
use crate::eval::Args;
use crate::value::{Key, Name};

/// The text with its fields filled.
pub(crate) fn format(template: &str, args: &Args) -> Result<String, Error> {
    let mut out = String::with_capacity(template.len());
    let mut characters = template.chars().peekable();
    let mut next = 0;
    while let Some(character) = characters.next() {
        match character {
            '{' if characters.peek() == Some(&'{') => out.push(characters.next().unwrap_or('{')),
            '}' if characters.peek() == Some(&'}') => out.push(characters.next().unwrap_or('}')),
            '}' => return Err(Error::operation("single '}' encountered in format string")),
            '{' => {
                let field = field(&mut characters)?;
                out.push_str(&fill(&field, args, &mut next)?);
            }
            other => out.push(other),
        }
    }
    Ok(out)
}

/// Up to the brace that closes the field.
fn field(characters: &mut impl Iterator<Item = char>) -> Result<String, Error> {
    let mut depth = 1;
    let mut field = String::new();
    for character in characters {
        depth += match character {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        if depth == 0 {
            return Ok(field);
        }
        field.push(character);
    }
    Err(Error::operation("expected '}' before end of string"))
}

fn fill(field: &str, args: &Args, next: &mut usize) -> Result<String, Error> {
    let (head, spec) = field.split_once(':').unwrap_or((field, ""));
    let (name, conversion) = head.split_once('!').map_or((head, ""), |(name, conversion)| (name, conversion));
    let value = lookup(name, args, next)?;
    let spec = if spec.contains('{') {
        let inner = spec.replace("{}", "\u{0}");
        let mut filled = String::new();
        for part in inner.split_inclusive('\u{0}') {
            filled.push_str(part.trim_end_matches('\u{0}'));
            if part.ends_with('\u{0}') {
                filled.push_str(&lookup("", args, next)?.to_text());
            }
        }
        filled
    } else {
        spec.to_owned()
    };
    let spec = Spec::parse(&spec)?;
    match conversion {
        "r" | "a" => spec.apply(&Value::from(value.to_repr())),
        "s" => spec.apply(&Value::from(value.to_text())),
        _ => spec.apply(&value),
    }
}

/// `0`, `name`, `name.member`, `0[key]`
fn lookup(path: &str, args: &Args, next: &mut usize) -> Result<Value, Error> {
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let (first, mut rest) = path.split_at(end);
    let mut value = match first.parse::<usize>() {
        _ if first.is_empty() => {
            *next += 1;
            positional(args, *next - 1)?
        }
        Ok(index) => positional(args, index)?,
        Err(_) => {
            let found = args.named.iter().find(|(name, _)| &**name == first).map(|(_, value)| value.clone());
            found.ok_or_else(|| Error::operation(format!("no argument '{first}' to format")))?
        }
    };
    while !rest.is_empty() {
        let key;
        if let Some(after) = rest.strip_prefix('[') {
            (key, rest) = after.split_once(']').ok_or_else(|| Error::operation("missing ']' in format string"))?;
        } else {
            let after = rest.trim_start_matches('.');
            let end = after.find(['.', '[']).unwrap_or(after.len());
            (key, rest) = after.split_at(end);
        }
        value = member(&value, key)?;
    }
    Ok(value)
}

fn member(value: &Value, key: &str) -> Result<Value, Error> {
    let number = key.parse::<usize>().ok();
    let found = match value {
        Value::Map(map) => map.get(&Name(key)).or_else(|| map.get(&Key::Int(number? as i128))).cloned(),
        other => number.and_then(|index| other.as_sequence()?.get(index)).cloned(),
    };
    found.ok_or_else(|| Error::operation(format!("no member '{key}' to format")))
}

fn positional(args: &Args, index: usize) -> Result<Value, Error> {
    let found = args.positional.get(index).cloned();
    found.ok_or_else(|| Error::operation(format!("replacement index {index} out of range for positional args tuple")))
}

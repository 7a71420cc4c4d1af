//! `'%s and %03d' % (a, b)`: Python's old formatting, also Jinja's filter `format`.

use super::spec::Spec;
use crate::Value;
use crate::error::Error;
use crate::value::Name;

/// The text with its fields filled.
pub(crate) fn percent(template: &str, values: &Value) -> Result<Value, Error> {
    let mut out = String::with_capacity(template.len());
    let mut given: Vec<&Value> = match values {
        Value::Tuple(items) => items.iter().rev().collect(),
        other => vec![other],
    };
    let mut rest = template;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let field = Field::parse(&mut rest, &mut given)?;
        if field.kind == '%' {
            out.push('%');
            continue;
        }
        let value = match (&field.key, values) {
            (Some(key), Value::Map(map)) => {
                map.get(&Name(key)).ok_or_else(|| Error::operation(format!("no key '{key}' to format")))?
            }
            (Some(_), _) => return Err(Error::operation("format requires a mapping")),
            (None, _) => given.pop().ok_or_else(|| Error::operation("not enough arguments for format string"))?,
        };
        out.push_str(&field.write(value)?);
    }
    out.push_str(rest);
    let is_tuple = matches!(values, Value::Tuple(_));
    if !given.is_empty() && (is_tuple || !matches!(values, Value::Map(_) | Value::List(_))) {
        return Err(Error::operation("not all arguments converted during string formatting"));
    }
    Ok(Value::from(out))
}

struct Field {
    key: Option<String>,
    spec: Spec,
    kind: char,
}

impl Field {
    fn parse(rest: &mut &str, given: &mut Vec<&Value>) -> Result<Self, Error> {
        let incomplete = || Error::operation("incomplete format");
        let mut key = None;
        if let Some(after) = rest.strip_prefix('(') {
            let (name, after) = after.split_once(')').ok_or_else(|| Error::operation("incomplete format key"))?;
            key = Some(name.to_owned());
            *rest = after;
        }
        let mut spec = Spec::default();
        while let Some(flag @ ('-' | '+' | ' ' | '0' | '#')) = rest.chars().next() {
            match flag {
                '-' => spec.align = Some('<'),
                '+' => spec.sign = Some('+'),
                ' ' => spec.sign = spec.sign.or(Some(' ')),
                '0' => spec.zero = true,
                _ => spec.alternate = true,
            }
            *rest = &rest[1..];
        }
        spec.width = width(rest, given)?.unwrap_or(0);
        if let Some(after) = rest.strip_prefix('.') {
            *rest = after;
            spec.precision = Some(width(rest, given)?.unwrap_or(0));
        }
        *rest = rest.trim_start_matches(['l', 'h', 'L']);
        let kind = rest.chars().next().ok_or_else(incomplete)?;
        *rest = &rest[kind.len_utf8()..];
        Ok(Self { key, spec, kind })
    }

    fn write(mut self, value: &Value) -> Result<String, Error> {
        crate::eval::require_deep(value)?;
        if self.spec.align == Some('<') {
            self.spec.zero = false;
        }
        let needs_number = || {
            let found = value.type_name();
            Error::operation(format!("%{} format: a real number is required, not {found}", self.kind))
        };
        match self.kind {
            's' | 'r' | 'a' => {
                let text = if self.kind == 's' { value.to_text() } else { value.to_repr() };
                let text = self.spec.cut(&text);
                self.spec.zero = false;
                Ok(self.spec.place(&text, '>'))
            }
            'd' | 'i' | 'u' => {
                let number = value.as_float().ok_or_else(needs_number)?;
                let number = value.as_int().unwrap_or(number as i128);
                self.spec.kind = Some('d');
                self.spec.apply(&Value::Int(number))
            }
            'x' | 'X' | 'o' | 'c' if value.as_int().is_some() => {
                self.spec.kind = Some(self.kind);
                self.spec.apply(value)
            }
            'c' if value.as_str().is_some_and(|text| text.chars().count() == 1) => {
                Ok(self.spec.place(&value.to_text(), '>'))
            }
            'f' | 'F' | 'e' | 'E' | 'g' | 'G' => {
                let number = value.as_float().ok_or_else(needs_number)?;
                self.spec.kind = Some(self.kind);
                self.spec.apply(&Value::Float(number))
            }
            'x' | 'X' | 'o' | 'c' => Err(needs_number()),
            other => Err(Error::operation(format!("unsupported format character '{other}'"))),
        }
    }
}

fn width(rest: &mut &str, given: &mut Vec<&Value>) -> Result<Option<usize>, Error> {
    if let Some(after) = rest.strip_prefix('*') {
        *rest = after;
        let value = given.pop().ok_or_else(|| Error::operation("not enough arguments for format string"))?;
        return crate::eval::int(value).map(|number| usize::try_from(number).ok().filter(|width| *width < 100_000));
    }
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number = &rest[..digits];
    *rest = &rest[digits..];
    if number.is_empty() {
        return Ok(None);
    }
    match number.parse() {
        Ok(number) if number < 100_000 => Ok(Some(number)),
        _ => Err(Error::operation(format!("a width of {number} is too large"))),
    }
}

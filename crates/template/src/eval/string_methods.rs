//! The methods of Python's `str`.

use super::arguments::{Args, Bound};
use super::{iterate, text as to_text};
use crate::Value;
use crate::error::Error;
use crate::text;

/// The methods there are.
pub(crate) const NAMES: &[&str] = &[
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "upper",
    "zfill",
];

/// Calls a method of a text.
pub(crate) fn call(own: &str, name: &str, args: Args) -> Result<Value, Error> {
    Ok(match name {
        "lower" | "casefold" => Value::from(own.to_lowercase()),
        "upper" => Value::from(own.to_uppercase()),
        "capitalize" => Value::from(text::capitalize(own)),
        "title" => Value::from(text::title(own)),
        "swapcase" => Value::from(swapcase(own)),
        "strip" | "lstrip" | "rstrip" => strip(own, name, args)?,
        "split" | "rsplit" => split(own, name, args)?,
        "splitlines" => {
            let [keep] = args.bind(["keepends"])?;
            Value::list(text::lines(own, keep.flag_or(false)?).into_iter().map(Value::from).collect())
        }
        "startswith" | "endswith" => affix(own, name, args)?,
        "removeprefix" => one(args, |part| Value::from(own.strip_prefix(part).unwrap_or(own)))?,
        "removesuffix" => one(args, |part| Value::from(own.strip_suffix(part).unwrap_or(own)))?,
        "replace" => {
            let [old, new, count] = args.bind(["old", "new", "count"])?;
            let (old, new) = (to_text(&old.need("old")?)?, to_text(&new.need("new")?)?);
            Value::from(match usize::try_from(count.int_or(-1)?) {
                Ok(count) => own.replacen(&old, &new, count),
                Err(_) => own.replace(&old, &new),
            })
        }
        "join" => {
            let [items] = args.bind(["iterable"])?;
            let items = iterate(&items.need("iterable")?)?;
            let parts = items.iter().enumerate().map(|(index, item)| match item.check()? {
                Value::Str(part) => Ok(part.to_string()),
                other => Err(Error::operation(format!(
                    "sequence item {index}: expected str instance, {} found",
                    other.type_name()
                ))),
            });
            Value::from(parts.collect::<Result<Vec<_>, _>>()?.join(own))
        }
        "format" => Value::from(text::format(own, &args)?),
        "find" | "rfind" | "index" | "rindex" | "count" => search(own, name, args)?,
        "partition" | "rpartition" => partition(own, name, args)?,
        "center" | "ljust" | "rjust" => pad(own, name, args)?,
        "zfill" => {
            let [width] = args.bind(["width"])?;
            let (sign, digits) = own.split_at(usize::from(own.starts_with(['+', '-'])));
            let missing = width_of(width.int_or(0)?)?.saturating_sub(own.chars().count());
            Value::from(format!("{sign}{}{digits}", "0".repeat(missing)))
        }
        "expandtabs" => Value::from(own.replace('\t', "        ")),
        // Bytes have no type here: text stands for them.
        "encode" => Value::from(own),
        _ => Value::Bool(is(own, name)),
    })
}

/// Padding beyond this is a slip.
const WIDEST: usize = 1_000_000;

pub(crate) fn width_of(width: i128) -> Result<usize, Error> {
    match usize::try_from(width.max(0)) {
        Ok(width) if width <= WIDEST => Ok(width),
        _ => Err(Error::operation(format!("a width of {width} is too large"))),
    }
}

fn one(args: Args, with: impl FnOnce(&str) -> Value) -> Result<Value, Error> {
    let [part] = args.bind(["part"])?;
    Ok(with(&to_text(&part.need("part")?)?))
}

fn strip(own: &str, name: &str, args: Args) -> Result<Value, Error> {
    let [characters] = args.bind(["chars"])?;
    let characters = characters.given().map(|value| to_text(&value)).transpose()?;
    let gone = |c: char| characters.as_ref().map_or(c.is_whitespace(), |set| set.contains(c));
    Ok(Value::from(match name {
        "lstrip" => own.trim_start_matches(gone),
        "rstrip" => own.trim_end_matches(gone),
        _ => own.trim_matches(gone),
    }))
}

/// `split` and `rsplit`; without a separator runs of white space count as one.
pub(crate) fn split(own: &str, name: &str, args: Args) -> Result<Value, Error> {
    let [separator, most] = args.bind(["sep", "maxsplit"])?;
    let most = usize::try_from(most.int_or(-1)?).ok();
    let from_right = name == "rsplit";
    let parts: Vec<&str> = match separator.given() {
        Some(separator) => {
            let separator = to_text(&separator)?;
            if separator.is_empty() {
                return Err(Error::operation("empty separator"));
            }
            match (most, from_right) {
                (None, _) => own.split(&separator).collect(),
                (Some(most), false) => own.splitn(most + 1, &separator).collect(),
                (Some(most), true) => {
                    let mut parts: Vec<_> = own.rsplitn(most + 1, &separator).collect();
                    parts.reverse();
                    parts
                }
            }
        }
        None => split_space(own, most, from_right),
    };
    Ok(Value::list(parts.into_iter().map(Value::from).collect()))
}

fn split_space(own: &str, most: Option<usize>, from_right: bool) -> Vec<&str> {
    let Some(most) = most else { return own.split_whitespace().collect() };
    let mut rest = own.trim();
    let mut parts = Vec::new();
    while !rest.is_empty() && parts.len() < most {
        let at = if from_right { rest.rfind(char::is_whitespace) } else { rest.find(char::is_whitespace) };
        let Some(at) = at else { break };
        if from_right {
            let width = rest[at..].chars().next().map_or(1, char::len_utf8);
            parts.push(&rest[at + width..]);
            rest = rest[..at].trim_end();
        } else {
            parts.push(&rest[..at]);
            rest = rest[at..].trim_start();
        }
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    if from_right {
        parts.reverse();
    }
    parts
}

fn affix(own: &str, name: &str, args: Args) -> Result<Value, Error> {
    let [affix, start] = args.bind(["prefix", "start"])?;
    let skipped: String = own.chars().skip(width_of(start.int_or(0)?)?).collect();
    let holds = |part: &str| if name == "startswith" { skipped.starts_with(part) } else { skipped.ends_with(part) };
    match affix.need("prefix")? {
        Value::Str(part) => Ok(Value::Bool(holds(&part))),
        Value::Tuple(parts) => Ok(Value::Bool(parts.iter().any(|part| part.as_str().is_some_and(holds)))),
        other => {
            let found = other.type_name();
            Err(Error::operation(format!("{name} first arg must be str or a tuple of str, not {found}")))
        }
    }
}

fn search(own: &str, name: &str, args: Args) -> Result<Value, Error> {
    let [part, start] = args.bind(["sub", "start"])?;
    let part = to_text(&part.need("sub")?)?;
    let skipped = width_of(start.int_or(0)?)?;
    let from = own.char_indices().nth(skipped).map_or(own.len(), |(at, _)| at);
    let rest = &own[from..];
    if name == "count" {
        let count = if part.is_empty() { rest.chars().count() + 1 } else { rest.matches(&part).count() };
        return Ok(Value::from(count));
    }
    let at = if name.starts_with('r') { rest.rfind(&part) } else { rest.find(&part) };
    match at {
        Some(at) => Ok(Value::from(own[..from + at].chars().count())),
        None if name.ends_with("index") => Err(Error::operation("substring not found")),
        None => Ok(Value::Int(-1)),
    }
}

fn partition(own: &str, name: &str, args: Args) -> Result<Value, Error> {
    let [separator] = args.bind(["sep"])?;
    let separator = to_text(&separator.need("sep")?)?;
    if separator.is_empty() {
        return Err(Error::operation("empty separator"));
    }
    let parts = match (name, own.split_once(&separator), own.rsplit_once(&separator)) {
        ("partition", Some((before, after)), _) | ("rpartition", _, Some((before, after))) => {
            [before, &separator, after]
        }
        ("partition", ..) => [own, "", ""],
        _ => ["", "", own],
    };
    Ok(Value::tuple(parts.into_iter().map(Value::from).collect()))
}

fn pad(own: &str, name: &str, args: Args) -> Result<Value, Error> {
    let [width, fill] = args.bind(["width", "fillchar"])?;
    let fill = fill.text_or(" ")?;
    let width = width_of(width.int_or(0)?)?;
    let missing = width.saturating_sub(own.chars().count());
    let (left, right) = match name {
        "ljust" => (0, missing),
        "rjust" => (missing, 0),
        _ => text::center_margins(missing, width),
    };
    Ok(Value::from(format!("{}{own}{}", fill.repeat(left), fill.repeat(right))))
}

fn swapcase(own: &str) -> String {
    let swap =
        |c: char| -> String { if c.is_uppercase() { c.to_lowercase().collect() } else { c.to_uppercase().collect() } };
    own.chars().map(swap).collect()
}

fn is(own: &str, name: &str) -> bool {
    let all = |holds: fn(char) -> bool| !own.is_empty() && own.chars().all(holds);
    match name {
        "isalnum" => all(char::is_alphanumeric),
        "isalpha" => all(char::is_alphabetic),
        "isascii" => own.is_ascii(),
        "isdecimal" | "isdigit" | "isnumeric" => all(char::is_numeric),
        "isspace" => all(char::is_whitespace),
        "isprintable" => !own.chars().any(char::is_control),
        "islower" => own.chars().any(char::is_lowercase) && !own.chars().any(char::is_uppercase),
        "isupper" => own.chars().any(char::is_uppercase) && !own.chars().any(char::is_lowercase),
        "istitle" => own.chars().any(char::is_uppercase) && text::title(own) == own,
        "isidentifier" => {
            own.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
                && own.chars().all(|c| c.is_alphanumeric() || c == '_')
        }
        _ => false,
    }
}

//! Jinja's filters of text: `upper`, `replace`, `indent`, `wordwrap`, …

use super::registry::{Filter, plain};
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, int, text as to_text};
use crate::text;

pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("capitalize", plain(|_, args| one(args, text::capitalize))),
    ("center", plain(center)),
    ("e", plain(escape)),
    ("escape", plain(escape)),
    ("forceescape", plain(escape)),
    ("format", plain(format)),
    ("indent", plain(indent)),
    ("lower", plain(|_, args| one(args, str::to_lowercase))),
    ("pprint", plain(|_, args| args.bind(["value"]).and_then(|[v]| Ok(Value::from(v.need("value")?.to_repr()))))),
    ("replace", plain(replace)),
    ("safe", plain(|_, args| one(args, str::to_owned))),
    ("split", plain(split)),
    ("striptags", plain(|_, args| one(args, strip_tags))),
    ("title", plain(|_, args| one(args, title))),
    ("trim", plain(trim)),
    ("truncate", plain(truncate)),
    ("upper", plain(|_, args| one(args, str::to_uppercase))),
    ("wordcount", plain(wordcount)),
    ("wordwrap", plain(wordwrap)),
];

fn one(args: Args, with: impl FnOnce(&str) -> String) -> Result<Value, Error> {
    let [value] = args.bind(["s"])?;
    Ok(Value::from(with(&to_text(&value.need("s")?)?)))
}

fn size(value: Option<Value>, default: usize) -> Result<usize, Error> {
    match value {
        None => Ok(default),
        Some(value) => Ok(usize::try_from(int(&value)?.clamp(0, 1_000_000)).unwrap_or(0)),
    }
}

/// Jinja's `title` splits at hyphens, spaces and opening brackets, not at every non-letter as `str.title` does.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for character in text.chars() {
        if character.is_whitespace() || "-({[<".contains(character) {
            inside = false;
            out.push(character);
        } else if inside {
            out.extend(character.to_lowercase());
        } else {
            inside = true;
            out.extend(character.to_uppercase());
        }
    }
    out
}

fn trim(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, characters] = args.bind(["value", "chars"])?;
    let value = to_text(&value.need("value")?)?;
    let characters = characters.given().map(|value| to_text(&value)).transpose()?;
    let gone = |c: char| characters.as_ref().map_or(c.is_whitespace(), |set| set.contains(c));
    Ok(Value::from(value.trim_matches(gone)))
}

fn split(_: &mut Exec, mut args: Args) -> Result<Value, Error> {
    match args.shift()? {
        Value::Str(text) => crate::eval::split(&text, "split", args),
        other => {
            let found = other.type_name();
            Err(Error::operation(format!("descriptor 'split' for 'str' objects doesn't apply to a '{found}' object")))
        }
    }
}

fn replace(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, old, new, count] = args.bind(["s", "old", "new", "count"])?;
    let value = to_text(&value.need("s")?)?;
    let (old, new) = (to_text(&old.need("old")?)?, to_text(&new.need("new")?)?);
    let count = count.given().map(|count| int(&count)).transpose()?.and_then(|count| usize::try_from(count).ok());
    Ok(Value::from(match count {
        Some(count) => value.replacen(&old, &new, count),
        None => value.replace(&old, &new),
    }))
}

fn format(_: &mut Exec, mut args: Args) -> Result<Value, Error> {
    let template = to_text(&args.shift()?)?;
    if !args.named.is_empty() && !args.positional.is_empty() {
        return Err(Error::operation("can't handle positional and keyword arguments at the same time"));
    }
    let values = if args.named.is_empty() {
        Value::tuple(args.positional)
    } else {
        Value::record(args.named.iter().map(|(name, value)| (&**name, value.clone())))
    };
    text::percent(&template, &values)
}

fn center(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, width] = args.bind(["value", "width"])?;
    let value = to_text(&value.need("value")?)?;
    let width = size(width, 80)?;
    let (left, right) = text::center_margins(width.saturating_sub(value.chars().count()), width);
    Ok(Value::from(format!("{}{value}{}", " ".repeat(left), " ".repeat(right))))
}

fn indent(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, width, first, blank] = args.bind(["s", "width", "first", "blank"])?;
    let value = to_text(&value.need("s")?)?;
    let margin = match width {
        Some(Value::Str(margin)) => margin.to_string(),
        width => " ".repeat(size(width, 4)?),
    };
    let (first, blank) = (first.flag_or(false)?, blank.flag_or(false)?);
    let whole = format!("{value}\n");
    let lines = text::lines(&whole, false);
    let mut out = String::new();
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        if (index > 0 && (blank || !line.is_empty())) || (index == 0 && first) {
            out.push_str(&margin);
        }
        out.push_str(line);
    }
    Ok(Value::from(out))
}

fn truncate(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, length, kill_words, end, leeway] = args.bind(["s", "length", "killwords", "end", "leeway"])?;
    let value = to_text(&value.need("s")?)?;
    let length = size(length, 255)?;
    let end = end.text_or("...")?;
    // Jinja's policy `truncate.leeway`.
    let leeway = size(leeway.given(), 5)?;
    let end_length = end.chars().count();
    if length < end_length {
        return Err(Error::operation(format!("expected length >= {end_length}, got {length}")));
    }
    if value.chars().count() <= length + leeway {
        return Ok(Value::from(value));
    }
    let cut: String = value.chars().take(length - end_length).collect();
    if kill_words.flag_or(false)? {
        return Ok(Value::from(cut + &end));
    }
    let cut = cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head);
    Ok(Value::from(format!("{cut}{end}")))
}

fn wordcount(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value] = args.bind(["s"])?;
    let value = to_text(&value.need("s")?)?;
    Ok(Value::from(value.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).count()))
}

fn wordwrap(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, width, break_long, wrap, on_hyphens] =
        args.bind(["s", "width", "break_long_words", "wrapstring", "break_on_hyphens"])?;
    let value = to_text(&value.need("s")?)?;
    let width = size(width, 79)?.max(1);
    let (break_long, on_hyphens) = (break_long.flag_or(true)?, on_hyphens.flag_or(true)?);
    let wrap = wrap.given().map_or_else(|| Ok("\n".to_owned()), |wrap| to_text(&wrap))?;
    let lines =
        text::lines(&value, false).into_iter().map(|line| wrap_line(line, width, break_long, on_hyphens).join(&wrap));
    Ok(Value::from(lines.collect::<Vec<_>>().join(&wrap)))
}

/// Python's `textwrap.wrap` with `expand_tabs=False, replace_whitespace=False`.
fn wrap_line(line: &str, width: usize, break_long: bool, on_hyphens: bool) -> Vec<String> {
    let mut chunks: std::collections::VecDeque<String> = chunks(line, on_hyphens).into();
    let mut lines = Vec::new();
    while !chunks.is_empty() {
        if !lines.is_empty() && chunks.front().is_some_and(|chunk| chunk.trim().is_empty()) {
            chunks.pop_front();
        }
        let mut current: Vec<String> = Vec::new();
        let mut length = 0;
        while let Some(chunk) = chunks.front() {
            let size = chunk.chars().count();
            if length + size > width {
                break;
            }
            length += size;
            current.extend(chunks.pop_front());
        }
        if let Some(chunk) = chunks.front().filter(|chunk| chunk.chars().count() > width).cloned() {
            if break_long {
                let space = width.saturating_sub(length).max(usize::from(current.is_empty()));
                current.push(chunk.chars().take(space).collect());
                chunks[0] = chunk.chars().skip(space).collect();
            } else if current.is_empty() {
                current.extend(chunks.pop_front());
            }
        }
        if current.last().is_some_and(|chunk| chunk.trim().is_empty()) {
            current.pop();
        }
        if !current.is_empty() {
            lines.push(current.concat());
        }
    }
    lines
}

/// Words, the white space between them, and words split after hyphens.
fn chunks(line: &str, on_hyphens: bool) -> Vec<String> {
    let mut chunks: Vec<String> = Vec::new();
    let mut previous = None;
    let characters: Vec<char> = line.chars().collect();
    for (index, character) in characters.iter().enumerate() {
        let space = character.is_whitespace();
        let after_hyphen = on_hyphens
            && index >= 2
            && characters[index - 1] == '-'
            && characters[index - 2].is_alphabetic()
            && character.is_alphabetic();
        match chunks.last_mut() {
            Some(chunk) if previous == Some(space) && !after_hyphen => chunk.push(*character),
            _ => chunks.push(character.to_string()),
        }
        previous = Some(space);
    }
    chunks
}

fn escape(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let escaped = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('\'', "&#39;")
            .replace('"', "&#34;")
    };
    one(args, escaped)
}

fn strip_tags(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for character in text.chars() {
        match character {
            '<' => inside = true,
            '>' if inside => inside = false,
            other if !inside => out.push(other),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

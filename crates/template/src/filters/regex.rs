//! `regex_replace`, `regex_search`, `regex_findall`, `regex_escape`.

use super::registry::{Filter, plain};
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, text};
use crate::regex::{Flags, compile, expand, failed, group};

pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("regex_escape", plain(regex_escape)),
    ("regex_findall", plain(regex_findall)),
    ("regex_replace", plain(regex_replace)),
    ("regex_search", plain(regex_search)),
];

fn regex_replace(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, pattern, replacement, ignore_case, multiline, count, mandatory] =
        args.bind(["value", "pattern", "replacement", "ignorecase", "multiline", "count", "mandatory_count"])?;
    let value = value.text_or("")?;
    let pattern = pattern.text_or("")?;
    let replacement = replacement.text_or("")?;
    let flags = Flags { ignore_case: ignore_case.flag_or(false)?, multiline: multiline.flag_or(false)? };
    let most = usize::try_from(count.int_or(0)?).unwrap_or(0);
    let regex = compile(&pattern, flags)?;
    let mut out = String::with_capacity(value.len());
    let (mut last, mut replaced) = (0, 0);
    for captures in regex.captures_iter(value.as_str()) {
        let captures = captures.map_err(failed)?;
        let Some(whole) = captures.get(0) else { continue };
        out.push_str(&value[last..whole.start()]);
        out.push_str(&expand(&replacement, &captures)?);
        last = whole.end();
        replaced += 1;
        if most > 0 && replaced == most {
            break;
        }
    }
    out.push_str(&value[last..]);
    let mandatory = mandatory.int_or(0)?;
    if mandatory != 0 && mandatory != replaced as i128 {
        return Err(Error::operation(format!(
            "'{pattern}' should match {mandatory} times, but matches {replaced} times in '{value}'"
        )));
    }
    Ok(Value::from(out))
}

fn regex_search(_: &mut Exec, mut args: Args) -> Result<Value, Error> {
    let flags = flags(&mut args)?;
    args.no_more_names()?;
    let value = text(&args.shift()?)?;
    let pattern = text(&args.shift()?)?;
    let groups = args.positional.iter().map(reference).collect::<Result<Vec<_>, _>>()?;
    let regex = compile(&pattern, flags)?;
    let Some(captures) = regex.captures(value.as_str()).map_err(failed)? else { return Ok(Value::None) };
    if groups.is_empty() {
        return Ok(Value::from(captures.get(0).map_or("", |found| found.as_str())));
    }
    let found = groups.iter().map(|name| {
        let text = group(&captures, name)?;
        let took_part =
            name.parse::<usize>().map_or_else(|_| captures.name(name).is_some(), |n| captures.get(n).is_some());
        Ok(if took_part { Value::from(text) } else { Value::None })
    });
    found.collect::<Result<Vec<_>, Error>>().map(Value::list)
}

/// `\\1` or `\\g<name>`
fn reference(value: &Value) -> Result<String, Error> {
    let text = text(value)?;
    if let Some(name) = text.strip_prefix("\\g<").and_then(|rest| rest.split_once('>')) {
        return Ok(name.0.to_owned());
    }
    match text.strip_prefix('\\').map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>()) {
        Some(digits) if !digits.is_empty() => Ok(digits),
        _ => Err(Error::operation("Unknown argument")),
    }
}

fn regex_findall(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, pattern, multiline, ignore_case] = args.bind(["value", "regex", "multiline", "ignorecase"])?;
    let flags = Flags { ignore_case: ignore_case.flag_or(false)?, multiline: multiline.flag_or(false)? };
    let value = text(&value.need("value")?)?;
    let regex = compile(&text(&pattern.need("regex")?)?, flags)?;
    let mut found = Vec::new();
    for captures in regex.captures_iter(value.as_str()) {
        let captures = captures.map_err(failed)?;
        let text = |index| Value::from(captures.get(index).map_or("", |found| found.as_str()));
        found.push(match captures.len() {
            1 => text(0),
            2 => text(1),
            groups => Value::tuple((1..groups).map(text).collect()),
        });
    }
    Ok(Value::list(found))
}

fn regex_escape(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, kind] = args.bind(["string", "re_type"])?;
    let value = text(&value.need("string")?)?;
    // CPython 3.7's `re.escape`; BRE as in ansible-core's filter.
    let special = match kind.text_or("python")?.as_str() {
        "python" => "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}",
        "posix_basic" => "].[^$*\\",
        "posix_extended" => return Err(Error::operation("Regex type (posix_extended) not yet implemented")),
        other => return Err(Error::operation(format!("Invalid regex type ({other})"))),
    };
    let mut out = String::with_capacity(value.len());
    for character in value.chars() {
        if special.contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    Ok(Value::from(out))
}

fn flags(args: &mut Args) -> Result<Flags, Error> {
    let ignore_case = args.take("ignorecase").flag_or(false)?;
    Ok(Flags { ignore_case, multiline: args.take("multiline").flag_or(false)? })
}

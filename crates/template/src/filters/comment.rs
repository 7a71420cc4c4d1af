//! `comment`: a text as a comment of a file (ansible-core's `filter/core.py`, `comment`).

use super::registry::{Filter, plain};
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, text};

pub(super) const FILTERS: &[(&str, Filter)] = &[("comment", plain(comment))];

fn comment(_: &mut Exec, mut args: Args) -> Result<Value, Error> {
    let mut option = |name: &str| args.take(name).map(|value| text(&value)).transpose();
    let (decoration, newline) = (option("decoration")?, option("newline")?);
    let (beginning, end) = (option("beginning")?, option("end")?);
    let (prefix, postfix) = (option("prefix")?, option("postfix")?);
    let prefix_count = args.take("prefix_count").int_or(1)?;
    let postfix_count = args.take("postfix_count").int_or(1)?;
    let [value, style] = args.bind(["text", "style"])?;
    let value = text(&value.need("text")?)?;
    let (style_beginning, style_decoration, style_end) = match style.text_or("plain")?.as_str() {
        "plain" => ("", "# ", ""),
        "erlang" => ("", "% ", ""),
        "c" => ("", "// ", ""),
        "cblock" => ("/*", " * ", " */"),
        "xml" => ("<!--", " - ", "-->"),
        other => {
            return Err(Error::operation(format!("Invalid style '{other}', available: plain, erlang, c, cblock, xml")));
        }
    };
    let newline = newline.unwrap_or_else(|| "\n".to_owned());
    let decoration = decoration.unwrap_or_else(|| style_decoration.to_owned());
    let beginning = beginning.unwrap_or_else(|| style_beginning.to_owned());
    let end = end.unwrap_or_else(|| style_end.to_owned());
    let trimmed = decoration.trim_end();
    let prefix = prefix.unwrap_or_else(|| trimmed.to_owned());
    let postfix = postfix.unwrap_or_else(|| trimmed.to_owned());
    let count = |count: i128| usize::try_from(count.clamp(0, 1000)).unwrap_or(0);
    let mut out = String::new();
    if !beginning.is_empty() {
        out.push_str(&format!("{beginning}{newline}"));
    }
    if !prefix.is_empty() {
        let line = if prefix == newline { newline.clone() } else { format!("{prefix}{newline}") };
        out.push_str(&line.repeat(count(prefix_count)));
    }
    let body = format!("{decoration}{}", value.replace(&newline, &format!("{newline}{decoration}")));
    out.push_str(&body.replace(&format!("{decoration}{newline}"), &format!("{trimmed}{newline}")));
    out.push_str(&format!("{newline}{postfix}").repeat(count(postfix_count)));
    if !end.is_empty() {
        out.push_str(&format!("{newline}{end}"));
    }
    Ok(Value::from(out))
}

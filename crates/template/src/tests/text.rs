//! Text: regular expressions, case, URLs.

use super::basic::one;
use super::registry::{Test, plain};
use crate::error::Error;
use crate::eval::{Args, Bound, text};
use crate::filters::split_url;
use crate::regex::{Flags, compile, failed};

pub(super) const TESTS: &[(&str, Test)] = &[
    ("lower", plain(|_, args| one(args, |value| is_case(&value.to_text(), false)))),
    ("match", plain(|_, args| matches(args, Some("match")))),
    ("regex", plain(|_, args| matches(args, None))),
    ("search", plain(|_, args| matches(args, Some("search")))),
    ("upper", plain(|_, args| one(args, |value| is_case(&value.to_text(), true)))),
    ("uri", plain(|_, args| url(args, false))),
    ("url", plain(|_, args| url(args, true))),
    ("urn", plain(|_, args| one(args, |value| value.as_str().is_some_and(|url| split_url(url).scheme == "urn")))),
];

fn is_case(text: &str, upper: bool) -> bool {
    let (has_upper, has_lower) = (text.chars().any(char::is_uppercase), text.chars().any(char::is_lowercase));
    if upper { has_upper && !has_lower } else { has_lower && !has_upper }
}

fn matches(args: Args, kind: Option<&str>) -> Result<bool, Error> {
    let [value, pattern, ignore_case, multiline, own_kind] =
        args.bind(["value", "pattern", "ignorecase", "multiline", "match_type"])?;
    let value = text(&value.need("value")?)?;
    let flags = Flags { ignore_case: ignore_case.flag_or(false)?, multiline: multiline.flag_or(false)? };
    let kind = kind.map_or_else(|| own_kind.text_or("search"), |kind| Ok(kind.to_owned()))?;
    let regex = compile(&pattern.text_or("")?, flags)?;
    // Python's `match` begins at the start of the text even where `^` would match more often.
    let from_start = |found: &fancy_regex::Match<'_>| match kind.as_str() {
        "match" => found.start() == 0,
        "fullmatch" => found.start() == 0 && found.end() == value.len(),
        _ => true,
    };
    Ok(match kind.as_str() {
        "search" => regex.is_match(&value).map_err(failed)?,
        _ => {
            let anchored = compile(&format!("\\A(?:{})", pattern_of(&regex)), flags)?;
            anchored.find(&value).map_err(failed)?.as_ref().is_some_and(from_start)
        }
    })
}

fn pattern_of(regex: &fancy_regex::Regex) -> &str {
    regex.as_str()
}

fn url(args: Args, needs_host: bool) -> Result<bool, Error> {
    let [value, schemes] = args.bind(["value", "schemes"])?;
    let value = text(&value.need("value")?)?;
    let url = split_url(&value);
    if let Some(schemes) = schemes.given() {
        let allowed = crate::eval::iterate(&schemes)?;
        if !allowed.iter().any(|scheme| scheme.as_str() == Some(&url.scheme)) {
            return Ok(false);
        }
    }
    Ok(!needs_host || !url.netloc.is_empty() || url.scheme == "file")
}

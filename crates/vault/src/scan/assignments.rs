//! `password: hunter2` in all its spellings. Lines only, no parser: files that are templates or damaged are read as well.

use super::finding::{Hit, Kind};
use super::keys::names_a_secret;
use super::kind::Style;
use super::lines::{Lines, indent};
use super::lists;
use super::values;
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// What each name has in it that [`names_a_secret`] can say yes to.
static HINT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)pass|pwd|[_-]pw|secret|token|key|credential").expect("it is fixed"));

pub(super) fn hits(text: &str, lines: &Lines<'_>, style: Style) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut next = 0;
    for found in HINT.find_iter(text) {
        let number = lines.at(found.start());
        if number < next {
            continue;
        }
        next = number + 1;
        if !is_comment(lines.get(number), style) {
            in_line(lines, number, style, &mut hits);
        }
    }
    hits
}

fn is_comment(line: &str, style: Style) -> bool {
    let line = line.trim_start();
    line.starts_with('#') || line.starts_with("//") || (style == Style::Ini && line.starts_with(';'))
}

fn in_line(lines: &Lines<'_>, number: usize, style: Style, hits: &mut Vec<Hit>) {
    let line = lines.get(number);
    let start = lines.start(number);
    for key in keys(line) {
        let name = line[key.clone()].trim_start_matches('-');
        if !names_a_secret(name) {
            // `- name: DB_PASSWORD` and `value: hunter2` below it.
            continue;
        }
        let Some(value) = value(line, &key, style) else { continue };
        let items = match &line[value.clone()] {
            "" => lists::block(lines, number, key.start, style),
            list if list.starts_with('[') => lists::flow(lines, start + value.start),
            _ => Vec::new(),
        };
        hits.extend(items.into_iter().filter_map(|place| item(lines, name, place)));
        let (value, at) = match block(lines, number, &line[value.clone()], style) {
            Some(found) => found,
            None => (unquoted(&line[value.clone()]), start + value.start),
        };
        let at =
            at + usize::from(line.get(at.saturating_sub(start)..).is_some_and(|rest| rest.starts_with(['"', '\''])));
        if values::is_secret(name, value) {
            hits.push(hit(name, at..at + value.len()));
        }
    }
    hits.extend(environment(lines, number, style));
}

/// One of several values; only the list has a name.
fn item(lines: &Lines<'_>, name: &str, place: Range<usize>) -> Option<Hit> {
    let text = &lines.rest(place.start)[..place.len()];
    let text = &text[..length(text, false, false, None)];
    let value = unquoted(text);
    let at = place.start + text.find(value).unwrap_or_default();
    values::is_secret(name, value).then(|| Hit { name: None, ..hit(name, at..at + value.len()) })
}

fn hit(name: &str, range: Range<usize>) -> Hit {
    Hit { name: Some(name.to_owned()), ..Hit::new(Kind::Value, range, format!("a value under `{name}`")) }
}

/// What could be names.
fn keys(line: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let is_part = |sign: char| sign.is_ascii_alphanumeric() || "_-.[]".contains(sign);
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + line.get(at..)?.find(is_part)?;
        let rest = &line[start..];
        let end = start + rest.find(|sign| !is_part(sign)).unwrap_or(rest.len());
        at = end;
        Some(start..end)
    })
}

/// Where the value of a key stands, with its quotes.
fn value(line: &str, key: &Range<usize>, style: Style) -> Option<Range<usize>> {
    let before = &line[..key.start];
    let quote = before.chars().next_back().filter(|sign| "\"'".contains(*sign));
    let after = &line[key.end..];
    let closed = quote.and_then(|quote| after.strip_prefix(quote));
    let rest = closed.unwrap_or(after);
    let blanks = rest.len() - rest.trim_start().len();
    let separator = rest.trim_start().chars().next()?;
    let tail = &rest[blanks + separator.len_utf8()..];
    let ends_word = tail.is_empty() || tail.starts_with([' ', '\t']);
    let is_assigned = match separator {
        ':' => (ends_word || closed.is_some()) && may_begin_key(before, quote),
        '=' => {
            let may_have_blanks = style == Style::Ini && before.trim().trim_matches(['"', '\'']).is_empty();
            let is_other = tail.starts_with(['=', '>', '~']);
            !is_other
                && (may_have_blanks || blanks == 0 && !tail.starts_with(char::is_whitespace))
                && !before.ends_with('$')
        }
        _ => false,
    };
    if !is_assigned || style == Style::Json && closed.is_none() && separator == ':' {
        return None;
    }
    let from = line.len() - tail.trim_start().len();
    let is_tight = separator == '=' && blanks == 0;
    let inside = if closed.is_none() { quote.or_else(|| open_quote(before)) } else { None };
    Some(from..from + length(&line[from..], is_tight, before.contains(['{', '[']) && separator == ':', inside))
}

/// In YAML and JSON keys stand at the beginning, in lists, or in braces.
fn may_begin_key(before: &str, quote: Option<char>) -> bool {
    let before = before.strip_suffix(quote.unwrap_or('\0')).unwrap_or(before).trim_end();
    before.chars().all(|sign| " \t-?".contains(sign))
        || before.ends_with('{')
        || before.ends_with(',') && before.contains('{')
}

/// The quote that is open where a text ends.
fn open_quote(before: &str) -> Option<char> {
    let mut open = None;
    for sign in before.chars().filter(|sign| "\"'`".contains(*sign)) {
        match open {
            None => open = Some(sign),
            Some(quote) if quote == sign => open = None,
            Some(_) => {}
        }
    }
    open
}

/// How much of a text belongs to the value at its beginning.
fn length(text: &str, is_tight: bool, in_braces: bool, inside: Option<char>) -> usize {
    if let Some(quote) = text.chars().next().filter(|sign| "\"'".contains(*sign) && Some(*sign) != inside) {
        return closing(text, quote).map_or(text.len(), |end| end + 1);
    }
    let mut before = ' ';
    for (at, sign) in text.char_indices() {
        let is_end = match sign {
            '#' | ';' => before.is_whitespace(),
            ',' | '}' | ']' => in_braces || is_tight,
            sign if Some(sign) == inside => true,
            '"' | '\'' | '`' | ')' | '|' | '&' | '\\' => is_tight,
            sign => is_tight && sign.is_whitespace(),
        };
        if is_end && !(in_braces && sign == '}' && text[..at].contains("{{") && !text[..at].contains("}}")) {
            return text[..at].trim_end().len();
        }
        before = sign;
    }
    text.trim_end().len()
}

/// Where a quote closes that opens a text.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, sign) in text.char_indices().skip(1) {
        match sign {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            sign if sign == quote => return Some(at),
            _ => {}
        }
    }
    None
}

fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote).map(|rest| rest.strip_suffix(quote).unwrap_or(rest));
    inner('"').or_else(|| inner('\'')).unwrap_or_else(|| untagged(value))
}

/// YAML's `!unsafe hunter2` and `!!str hunter2` are the text; other tags, `!vault` above all, mean something else.
fn untagged(value: &str) -> &str {
    let rest = value.strip_prefix("!unsafe ").or_else(|| value.strip_prefix("!!str ")).map(str::trim_start);
    rest.map_or(value, |rest| rest.trim_matches(['"', '\'']))
}

/// The first line of a block that a value begins, and where it stands.
fn block<'t>(lines: &Lines<'t>, number: usize, value: &str, style: Style) -> Option<(&'t str, usize)> {
    let is_block = style == Style::Yaml && value.starts_with(['|', '>']) && value.len() <= 3;
    if !is_block {
        return None;
    }
    let first = (number + 1..lines.count()).find(|line| !lines.get(*line).trim().is_empty())?;
    let text = lines.get(first);
    let is_inside = indent(text) > indent(lines.get(number));
    Some(if is_inside { (text.trim(), lines.start(first) + indent(text)) } else { ("", lines.start(first)) })
}

/// `- name: DB_PASSWORD` and below it `value: hunter2`, as containers have it.
fn environment(lines: &Lines<'_>, number: usize, style: Style) -> Option<Hit> {
    let name = lines.get(number).trim_start().strip_prefix("- name:")?.trim().trim_matches(['"', '\'']);
    let below = lines.get(number + 1);
    let raw = below.trim_start().strip_prefix("value:")?.trim();
    if style != Style::Yaml || !names_a_secret(name) {
        return None;
    }
    let value = unquoted(&raw[..length(raw, false, false, None)]);
    let at = lines.start(number + 1) + below.find(value).unwrap_or_default();
    values::is_secret(name, value).then(|| hit(name, at..at + value.len()))
}

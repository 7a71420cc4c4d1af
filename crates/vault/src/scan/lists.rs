//! What stands in a list under a name: `passwords: [hunter2]`, and the same on lines of its own.

use super::kind::Style;
use super::lines::{Lines, indent};
use std::ops::Range;

/// No list of passwords is longer; a bracket that nobody closed is no reason to read on.
const LONGEST: usize = 16 * 1024;

/// The items of a list that begins at a place, quotes and all. What is itself a list or a map has keys of its own.
pub(super) fn flow(lines: &Lines<'_>, start: usize) -> Vec<Range<usize>> {
    let text = lines.rest(start);
    let mut items = Vec::new();
    let (mut depth, mut quote, mut escaped, mut is_comment) = (0_usize, None, false, false);
    let mut item: Option<Range<usize>> = None;
    let mut before = ' ';
    for (at, sign) in text.char_indices().take_while(|(at, _)| *at < LONGEST) {
        let is_text = match (quote, sign) {
            _ if is_comment => {
                is_comment = sign != '\n';
                false
            }
            (Some(open), sign) => {
                let closes = sign == open && !escaped;
                escaped = sign == '\\' && open == '"' && !escaped;
                quote = if closes { None } else { quote };
                true
            }
            (None, '#') if before.is_whitespace() => {
                is_comment = true;
                false
            }
            (None, '"' | '\'') if item.is_none() => {
                quote = Some(sign);
                true
            }
            (None, '[' | '{') => {
                depth += 1;
                depth > 1
            }
            (None, ']' | '}') => {
                depth = depth.saturating_sub(1);
                depth > 0
            }
            (None, ',') => depth > 1,
            (None, sign) => !sign.is_whitespace(),
        };
        if is_text {
            let from = item.as_ref().map_or(start + at, |item| item.start);
            item = Some(from..start + at + sign.len_utf8());
        }
        if quote.is_none() && !is_comment && (depth == 0 || depth == 1 && sign == ',') {
            items.extend(item.take());
        }
        if depth == 0 {
            return items;
        }
        before = sign;
    }
    Vec::new()
}

/// The lines of a list below a key, which begins at a column; maps have keys of their own, and blocks of text are none.
pub(super) fn block(lines: &Lines<'_>, number: usize, column: usize, style: Style) -> Vec<Range<usize>> {
    let mut items = Vec::new();
    if style != Style::Yaml {
        return items;
    }
    for number in number + 1..lines.count() {
        let line = lines.get(number);
        let text = line.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let Some(item) = text.strip_prefix("- ").filter(|_| indent(line) >= column) else { break };
        let item = item.trim_start();
        let is_quoted = item.starts_with(['"', '\'']);
        let is_map = !is_quoted && item.contains(": ") || item.ends_with(':');
        if !is_map && !item.starts_with(['|', '>']) {
            let from = lines.start(number) + line.len() - item.len();
            items.push(from..lines.start(number) + line.len());
        }
    }
    items
}

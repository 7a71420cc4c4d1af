//! One scalar of YAML: plain where it reads back the same, else in quotes (libyaml's `yaml_emitter_analyze_scalar`).

use crate::Value;
use crate::error::Error;
use crate::value::float_text;
use std::fmt::Write;

/// Where a scalar is written.
pub(super) struct Context {
    pub(super) column: usize,
    pub(super) indent: usize,
    pub(super) width: usize,
    pub(super) is_key: bool,
    pub(super) in_flow: bool,
}

/// The text of a scalar.
pub(super) fn write(value: &Value, context: &Context) -> Result<String, Error> {
    Ok(match value {
        Value::None => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) if number.is_nan() => ".nan".to_owned(),
        Value::Float(number) if number.is_infinite() => if *number > 0.0 { ".inf" } else { "-.inf" }.to_owned(),
        Value::Float(number) => {
            let text = float_text(*number);
            // PyYAML adds the point without which YAML 1.1 reads a text.
            if text.contains('e') && !text.contains('.') { text.replacen('e', ".0e", 1) } else { text }
        }
        Value::Str(text) => string(text, context),
        Value::Time(_) => value.to_text(),
        other => return Err(Error::operation(format!("cannot represent an object of type '{}'", other.type_name()))),
    })
}

fn string(text: &str, context: &Context) -> String {
    let analysis = Analysis::of(text);
    let multiline = text.contains('\n');
    let plain =
        !text.is_empty() && !multiline && if context.in_flow { analysis.flow_plain } else { analysis.block_plain };
    if plain && !reads_otherwise(text) {
        return fold(text, context, "", "", |part| part.to_owned());
    }
    if analysis.single && !(multiline && context.is_key) {
        return single(text, context);
    }
    double(text, context)
}

/// Whether YAML 1.1 would read a plain text as something else (PyYAML's `resolver.py`).
fn reads_otherwise(text: &str) -> bool {
    let node = ::yaml::load_one("<scalar>", text);
    let as_text = matches!(node, Ok(::yaml::Node { value: ::yaml::Value::String(ref read), .. }) if read == text);
    !as_text || matches!(text, "=" | "<<") || is_timestamp(text)
}

fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |from: usize, to: usize| bytes.get(from..to).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    if !(digits(0, 4) && bytes.get(4) == Some(&b'-')) {
        return false;
    }
    let pattern = r"\A(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?(?:[Tt]|[ \t]+)[0-9][0-9]?:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9][0-9]?(?::[0-9]{2})?))?)\z";
    crate::regex::compile(pattern, crate::regex::Flags::default())
        .is_ok_and(|regex| regex.is_match(text).unwrap_or(false))
}

/// Which styles can hold a text.
struct Analysis {
    flow_plain: bool,
    block_plain: bool,
    single: bool,
}

impl Analysis {
    fn of(text: &str) -> Self {
        let characters: Vec<char> = text.chars().collect();
        let (mut flow, mut block) = (false, false);
        let mut special = false;
        if text.starts_with("---") || text.starts_with("...") {
            (flow, block) = (true, true);
        }
        let (mut space_break, mut break_space) = (false, false);
        let mut previous_space = false;
        let mut previous_break = false;
        for (index, character) in characters.iter().copied().enumerate() {
            let before_blank = characters.get(index + 1).is_none_or(|c| c.is_whitespace());
            let after_blank = index > 0 && characters[index - 1].is_whitespace();
            if index == 0 {
                match character {
                    '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                        (flow, block) = (true, true);
                    }
                    '?' | ':' => {
                        flow = true;
                        block |= before_blank;
                    }
                    '-' if before_blank => (flow, block) = (true, true),
                    _ => {}
                }
            } else {
                match character {
                    ',' | '?' | '[' | ']' | '{' | '}' => flow = true,
                    ':' => {
                        flow = true;
                        block |= before_blank;
                    }
                    '#' if after_blank => (flow, block) = (true, true),
                    _ => {}
                }
            }
            let printable =
                matches!(character, '\n' | '\u{85}' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}');
            special |= !printable || character == '\u{feff}';
            let is_break = matches!(character, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}');
            if character == ' ' {
                break_space |= previous_break;
                previous_space = true;
                previous_break = false;
            } else if is_break {
                space_break |= previous_space;
                previous_break = true;
                previous_space = false;
            } else {
                previous_space = false;
                previous_break = false;
            }
        }
        let edge = |c: Option<&char>| c.is_some_and(|c| matches!(c, ' ' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}'));
        let mut single = true;
        if edge(characters.first()) || edge(characters.last()) {
            (flow, block) = (true, true);
        }
        if break_space {
            (flow, block, single) = (true, true, false);
        }
        if space_break || special {
            (flow, block, single) = (true, true, false);
        }
        Self { flow_plain: !flow, block_plain: !block, single }
    }
}

/// Breaks a text at single spaces once the line is full.
fn fold(text: &str, context: &Context, open: &str, close: &str, write: impl Fn(&str) -> String) -> String {
    let mut out = String::from(open);
    let mut column = context.column + open.len();
    let words: Vec<&str> = text.split(' ').collect();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            let single_space = !words[index - 1].is_empty() && !word.is_empty();
            if single_space && !context.is_key && column > context.width {
                let _ = write!(out, "\n{}", " ".repeat(context.indent));
                column = context.indent;
            } else {
                out.push(' ');
                column += 1;
            }
        }
        let word = write(word);
        column += word.chars().count();
        out.push_str(&word);
    }
    out + close
}

fn single(text: &str, context: &Context) -> String {
    if !text.contains('\n') {
        return fold(text, context, "'", "'", |part| part.replace('\'', "''"));
    }
    let mut out = String::from("'");
    let mut column = context.column + 1;
    let lines: Vec<&str> = text.split('\n').collect();
    let mut pending = 0;
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            pending += 1;
        }
        if line.is_empty() && index + 1 < lines.len() {
            continue;
        }
        if pending > 0 {
            // One break more than there are: a single one would read as a space.
            out.push_str(&"\n".repeat(pending + 1));
            out.push_str(&" ".repeat(context.indent));
            column = context.indent;
            pending = 0;
        }
        let part = Context { column, ..*context };
        let folded = fold(line, &part, "", "", |part| part.replace('\'', "''"));
        column = folded.rsplit_once('\n').map_or(column + folded.chars().count(), |(_, last)| last.chars().count());
        out.push_str(&folded);
    }
    out.push('\'');
    out
}

fn double(text: &str, context: &Context) -> String {
    let mut out = String::from("\"");
    let mut column = context.column + 1;
    let characters: Vec<char> = text.chars().collect();
    let mut spaced = false;
    for (index, character) in characters.iter().copied().enumerate() {
        let plain = matches!(character, ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}');
        let inside = index > 0 && index + 1 < characters.len();
        if character == ' ' && !context.is_key && !spaced && inside && column > context.width {
            let _ = write!(out, "\\\n{}", " ".repeat(context.indent));
            column = context.indent;
            if characters.get(index + 1) == Some(&' ') {
                out.push('\\');
                column += 1;
            }
            // The space itself follows the break, escaped.
            if characters.get(index + 1) != Some(&' ') {
                out.push_str("\\ ");
                column += 2;
            }
            spaced = true;
            continue;
        }
        spaced = character == ' ';
        let written = match character {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            c if plain => c.to_string(),
            '\0' => "\\0".to_owned(),
            '\u{7}' => "\\a".to_owned(),
            '\u{8}' => "\\b".to_owned(),
            '\t' => "\\t".to_owned(),
            '\n' => "\\n".to_owned(),
            '\u{b}' => "\\v".to_owned(),
            '\u{c}' => "\\f".to_owned(),
            '\r' => "\\r".to_owned(),
            '\u{1b}' => "\\e".to_owned(),
            '\u{85}' => "\\N".to_owned(),
            '\u{2028}' => "\\L".to_owned(),
            '\u{2029}' => "\\P".to_owned(),
            c if (c as u32) <= 0xff => format!("\\x{:02X}", c as u32),
            c if (c as u32) <= 0xffff => format!("\\u{:04X}", c as u32),
            c => format!("\\U{:08X}", c as u32),
        };
        column += written.chars().count();
        out.push_str(&written);
    }
    out + "\""
}

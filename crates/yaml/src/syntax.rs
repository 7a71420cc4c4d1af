//! Syntax errors in the words of who writes playbooks: the parser says what it did not expect, this module what was
//! probably meant. The classic mistakes are those of Ansible's "YAML Syntax, Gotchas" page (2.19).

use crate::Node;
use crate::place::Source;
use diagnostic::Mistake;
use granit_parser::{ErrorKind, ScanError};

/// The parser's error with a label and, for a classic mistake, a hint. Before the byte offset `reached` all was well.
pub(crate) fn explain(source: &Source<'_>, error: &ScanError, reached: usize) -> Mistake {
    let spot = Spot::new(source, error);
    unquoted_template(&spot).unwrap_or_else(|| match error.kind() {
        ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabNotAllowed
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => tab(&spot),
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::DocumentIndicatorInQuotedScalar => unclosed_quote(&spot, reached),
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            after_quote(&spot)
        }
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidUnicodeEscape => bad_escape(&spot, error),
        ErrorKind::MappingValueNotAllowed => colon_in_value(&spot),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => missing_colon(&spot),
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::ExpectedBlockSequenceEntry | ErrorKind::InvalidIndentation => {
            indentation(&spot)
        }
        ErrorKind::UnexpectedCharacter { character } => reserved(&spot, *character),
        ErrorKind::UnclosedFlowCollection { open } => spot
            .mistake(format!("`{open}` is never closed"))
            .labelled("opened here")
            .hinted(format!("add the `{}`", closing(*open))),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => spot
            .mistake(format!("`{open}` is closed by `{close}`"))
            .labelled("opened here")
            .hinted(format!("close it with `{}`, or quote the value if it is text", closing(*open))),
        ErrorKind::MisplacedFlowCollectionEnd => spot
            .mistake("a closing bracket that nothing opened")
            .labelled("no bracket is open here")
            .hinted("remove it, or quote the value if it is text"),
        ErrorKind::InvalidColonPlacement
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::ExpectedFlowMappingSeparator => spot
            .mistake("a list or mapping in brackets goes wrong here")
            .labelled("expected `,` or the closing bracket")
            .hinted("close the bracket, or quote the value if it is text"),
        ErrorKind::BlockSequenceEntryNotAllowed => spot
            .mistake("a list can not begin on the line of its key")
            .labelled("`- ` begins a list")
            .hinted("put the items on lines of their own, or quote the value if it is text"),
        ErrorKind::UndeclaredTagHandle
        | ErrorKind::InvalidTagTerminator
        | ErrorKind::MissingTagUri
        | ErrorKind::InvalidGlobalTagCharacter => spot
            .mistake("a malformed tag, or text that begins with `!`")
            .labelled("read as a tag")
            .hinted("quote the value if it is text that begins with `!`"),
        ErrorKind::CommentNotSeparated => spot
            .mistake("no blank before the comment")
            .labelled("read as part of the value")
            .hinted("put a blank before the `#`, or quote the value if the `#` belongs to it"),
        ErrorKind::RecursionLimitExceeded => spot.mistake("nested more than 255 levels deep").labelled("one too deep"),
        kind => spot.mistake(kind.to_string().replace("EOF", "end of file").trim_end_matches('.').to_owned()),
    })
}

/// A mapping or list used as a key, which nobody means: it is a template whose quotes are missing.
pub(crate) fn collection_as_key(source: &Source<'_>, key: &Node) -> Mistake {
    let line = source.line(key.position.line as usize);
    // Of `{{ x }}` the key is the inner mapping.
    let outer = (key.position.column as usize).saturating_sub(2);
    let from: String = line.chars().skip(outer).collect();
    if !from.starts_with("{{") {
        return Mistake::at(key.position.clone(), format!("a key must be a scalar, and this is {}", key.kind()))
            .labelled(key.kind());
    }
    template_without_quotes(source, key.position.line as usize, outer, &from)
}

/// A place in the text, for people.
struct Spot<'a> {
    source: &'a Source<'a>,
    /// From 1.
    line: usize,
    /// In characters, from 0.
    column: usize,
    byte: usize,
}

impl<'a> Spot<'a> {
    fn new(source: &'a Source<'a>, error: &ScanError) -> Self {
        let marker = error.marker();
        let byte = marker.byte_offset().unwrap_or_else(|| {
            source.text.char_indices().nth(marker.index()).map_or(source.text.len(), |(byte, _)| byte)
        });
        Self { source, line: marker.line().max(1), column: marker.col(), byte }
    }

    fn text(&self) -> &'a str {
        self.source.line(self.line)
    }

    fn mistake(&self, message: impl Into<String>) -> Mistake {
        Mistake::at(self.source.point(self.line, self.column + 1), message)
    }

    fn mistake_at(&self, column: usize, length: usize, message: impl Into<String>) -> Mistake {
        Mistake::at(self.source.point(self.line, column + 1).with_length(length), message)
    }

    /// The nearest line above that holds more than space and comment: its number and text.
    fn line_above(&self) -> Option<(usize, &'a str)> {
        (1..self.line).rev().map(|number| (number, self.source.line(number))).find(|(_, text)| {
            let text = text.trim_start();
            !text.is_empty() && !text.starts_with('#')
        })
    }
}

fn tab(spot: &Spot<'_>) -> Mistake {
    // The parser may stop before or behind the tab, also on the line above it.
    let found = [spot.line, spot.line + 1].into_iter().find_map(|number| {
        let line = spot.source.line(number);
        let indentation = &line[..line.len() - line.trim_start().len()];
        indentation.find('\t').map(|byte| (number, indentation[..byte].chars().count()))
    });
    let (line, column) = found.unwrap_or((spot.line, spot.column));
    Mistake::at(spot.source.point(line, column + 1), "a tab in the indentation")
        .labelled("this is a tab")
        .hinted("indent with spaces; YAML does not allow tabs")
}

/// `key: {{ x }}/bar`: YAML takes the braces for a mapping.
fn unquoted_template(spot: &Spot<'_>) -> Option<Mistake> {
    let line = spot.text();
    let start = [": {{", "- {{"].iter().find_map(|lead| line.find(lead))? + 2;
    let column = line[..start].chars().count();
    let quoted_before = line[..start].contains(['"', '\'']);
    let block = line[..start].contains('#') || quoted_before || column > spot.column;
    (!block).then(|| template_without_quotes(spot.source, spot.line, column, &line[start..]))
}

fn template_without_quotes(source: &Source<'_>, line: usize, column: usize, text: &str) -> Mistake {
    let in_brackets = source.line(line).chars().take(column).any(|character| "[{".contains(character));
    let text = match text.find("}}") {
        Some(end) if in_brackets => &text[..end + 2],
        _ => text.split(" #").next().unwrap_or(text).trim_end(),
    };
    let quote = if text.contains('"') { '\'' } else { '"' };
    let hint = if text.contains('"') && text.contains('\'') {
        "quote the whole value, or put it below `>-`".to_owned()
    } else {
        format!("quote the whole value: `{quote}{text}{quote}`")
    };
    Mistake::at(
        source.point(line, column + 1).with_length(text.chars().count()),
        "a template at the beginning of a value must be quoted",
    )
    .labelled("YAML reads `{` as a mapping")
    .hinted(hint)
}

fn unclosed_quote(spot: &Spot<'_>, reached: usize) -> Mistake {
    let text = spot.source.text;
    let at_quote = text[spot.byte..].starts_with(['"', '\'']).then_some(spot.byte);
    let Some(start) = at_quote.or_else(|| open_quote(text, reached, spot.byte)) else {
        return spot.mistake("a quote is never closed");
    };
    let before = &text[..start];
    let line = spot.source.line_of(start);
    let column = before.rsplit(['\n', '\r']).next().unwrap_or_default().trim_start_matches('\u{feff}').chars().count();
    let quote = &text[start..=start];
    Mistake::at(spot.source.point(line, column + 1), format!("a text that begins with `{quote}` is never closed"))
        .labelled("opened here")
        .hinted(format!("add the closing `{quote}`"))
}

/// Where the quote stands that is still open at `end`; all before `start` is read already.
fn open_quote(text: &str, start: usize, end: usize) -> Option<usize> {
    let mut open: Option<(usize, char)> = None;
    let mut comment = false;
    let mut previous = ' ';
    let mut characters = text.get(start..end)?.char_indices();
    while let Some((offset, character)) = characters.next() {
        match (open, character) {
            _ if comment => comment = !matches!(character, '\n' | '\r'),
            (Some((_, '"')), '\\') => drop(characters.next()),
            (Some((_, quote)), _) if character == quote => open = None,
            // Only at the beginning of a value does a quote open anything: `it's` does not.
            (None, '"' | '\'') if previous.is_whitespace() || "[{,:-".contains(previous) => {
                open = Some((start + offset, character))
            }
            (None, '#') if previous.is_whitespace() => comment = true,
            _ => {}
        }
        previous = character;
    }
    open.map(|(offset, _)| offset)
}

fn after_quote(spot: &Spot<'_>) -> Mistake {
    let before: String = spot.text().chars().take(spot.column).collect();
    let value = value_start(&before);
    let whole: String = spot.text().chars().skip(value).collect();
    let whole = whole.split(" #").next().unwrap_or_default().trim_end();
    let hint = match (whole.contains('"'), whole.contains('\'')) {
        (true, false) => format!("quote the whole value: `'{whole}'`"),
        (false, true) => format!("quote the whole value with the other quote: `\"{}\"`", inner(whole)),
        _ => "quote the whole value, or put it below `>-`".to_owned(),
    };
    spot.mistake("text follows a closing quote").labelled("the quoted text ends before this").hinted(hint)
}

/// `it's` of `'it's'`.
fn inner(quoted: &str) -> &str {
    quoted.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).unwrap_or(quoted)
}

fn bad_escape(spot: &Spot<'_>, error: &ScanError) -> Mistake {
    let message = match error.kind() {
        ErrorKind::UnknownQuotedScalarEscape => "unknown escape in a double-quoted text",
        _ => "malformed escape in a double-quoted text",
    };
    // The parser names the opening quote; the eye looks for the backslash.
    let from = spot.text().chars().skip(spot.column);
    let mut previous = ' ';
    let backslash = from.enumerate().find(|(_, character)| {
        let wrong = previous == '\\' && !"0abtnvfre \"/\\N_LP".contains(*character);
        previous = if previous == '\\' { ' ' } else { *character };
        wrong
    });
    let (column, length) = backslash.map_or((spot.column, 1), |(offset, _)| (spot.column + offset - 1, 2));
    spot.mistake_at(column, length, message)
        .labelled("a backslash is special between double quotes")
        .hinted("use single quotes, or write `\\\\` for a backslash")
}

/// `foo: bar: baz`, or a line that is indented below a key that has its value already.
fn colon_in_value(spot: &Spot<'_>) -> Mistake {
    let line = spot.text();
    let before: String = line.chars().take(spot.column).collect();
    let start = value_start(&before);
    if start > indentation_of(&before) || before.trim_start().is_empty() {
        let value: String = line.chars().skip(start).collect();
        let value = value.split(" #").next().unwrap_or_default().trim_end();
        let quote = if value.contains('"') { '\'' } else { '"' };
        return spot
            .mistake_at(start, value.chars().count(), "a second `: ` in a value that is not quoted")
            .labelled("YAML reads a mapping here")
            .hinted(format!("quote the value: `{quote}{value}{quote}`"));
    }
    let Some((number, above)) = spot.line_above() else {
        return spot.mistake("a mapping is not allowed here").labelled("read as a key");
    };
    if let Some(key) = glued_key(above) {
        return missing_space(spot, number, above, key);
    }
    let key = before.trim();
    spot.mistake_at(
        indentation_of(&before),
        key.chars().count(),
        format!("`{key}` continues the text in line {number}"),
    )
    .labelled("indented as part of that value")
    .hinted(format!("align it with line {number}, or empty that line's value"))
}

fn missing_colon(spot: &Spot<'_>) -> Mistake {
    let line = spot.text();
    if let Some(key) = glued_key(line) {
        return missing_space(spot, spot.line, line, key);
    }
    let text = line.trim();
    spot.mistake_at(indentation_of(line), text.chars().count(), "a line without a key, where a mapping goes on")
        .labelled("expected `key: value`")
        .hinted("add the `:`, or indent the line if it continues the value above")
}

/// The key of `key:value`, which YAML takes for one word. Addresses and paths (`http://x`, `C:\x`) are none.
fn glued_key(line: &str) -> Option<&str> {
    let text = line.trim_start().trim_start_matches("- ");
    let (key, value) = text.split_once(':')?;
    let word = !key.is_empty() && key.chars().all(|character| character.is_alphanumeric() || "_-.".contains(character));
    (word && !value.is_empty() && !value.starts_with([' ', '/', '\\', ':'])).then_some(key)
}

fn missing_space(spot: &Spot<'_>, number: usize, line: &str, key: &str) -> Mistake {
    let byte = line.find(key).unwrap_or_default() + key.len();
    let column = line[..byte].chars().count();
    let value = line[byte + 1..].trim_end();
    Mistake::at(spot.source.point(number, column + 1), "no space after the colon")
        .labelled("a key ends with `: `")
        .hinted(format!("write `{key}: {value}`"))
}

fn indentation(spot: &Spot<'_>) -> Mistake {
    let line = spot.text();
    let own = indentation_of(line);
    let mistake = spot.mistake(if own < spot.column {
        "the mapping or list above can not go on here"
    } else {
        "this line's indentation fits nothing above"
    });
    let Some((number, above)) = spot.line_above() else { return mistake.labelled("unexpected") };
    if own < spot.column {
        return mistake.labelled("unexpected").hinted("quote the whole value if this is text");
    }
    mistake.labelled(format!("indented by {own}")).hinted(format!(
        "line {number} is indented by {}: align this line with it, or with a line above",
        indentation_of(above)
    ))
}

fn reserved(spot: &Spot<'_>, character: char) -> Mistake {
    if character.is_control() {
        return spot
            .mistake(format!("a control character ({})", character.escape_unicode()))
            .labelled("invisible")
            .hinted("remove it, or write it as an escape between double quotes");
    }
    let value: String = spot.text().chars().skip(spot.column).collect();
    let value = value.split(" #").next().unwrap_or_default().trim_end();
    spot.mistake(format!("a value can not begin with `{character}`"))
        .labelled("reserved by YAML")
        .hinted(format!("quote the value: `\"{value}\"`"))
}

/// The column (from 0) where the value after the last `: `, `- ` or the indentation begins.
fn value_start(before: &str) -> usize {
    let lead = before.match_indices(": ").map(|(byte, _)| byte + 2).next();
    let byte = lead.unwrap_or_else(|| {
        let text = before.trim_start();
        before.len() - text.trim_start_matches("- ").len()
    });
    let text = &before[byte..];
    before[..byte].chars().count() + (text.chars().count() - text.trim_start().chars().count())
}

fn indentation_of(line: &str) -> usize {
    let text = line.trim_start();
    let after_dashes = text.trim_start_matches("- ");
    line.chars().count() - after_dashes.chars().count()
}

fn closing(open: char) -> char {
    if open == '[' { ']' } else { '}' }
}

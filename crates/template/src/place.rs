//! From an offset in a template's text to a place in the file that the text stands in.

use diagnostic::Position;
use std::sync::Arc;

/// A part of a template's text. Where that is in the file is worked out only when somebody asks.
#[derive(Debug, Clone)]
pub struct Place {
    origin: Position,
    text: Arc<str>,
    span: Span,
}

/// Bytes of a template's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// From the beginning of one to the end of the other.
    pub(crate) fn to(self, end: Span) -> Span {
        Span { start: self.start.min(end.start), end: self.end.max(end.end) }
    }
}

/// The origin of a text that is a whole file, or the rest of one from a line on: no scalar inside one, so no column.
pub(crate) fn whole_file(name: &str, line: u32) -> Position {
    Position { column: 0, ..Position::new(name, line, 0) }
}

impl Place {
    pub(crate) fn new(origin: &Position, text: &Arc<str>, span: Span) -> Arc<Self> {
        Arc::new(Self { origin: origin.clone(), text: text.clone(), span })
    }

    /// The place in the file. The file is read again, since quoting, indentation and folding are not known otherwise;
    /// without a file the place follows from the scalar's own.
    pub(crate) fn position(&self) -> Position {
        let start = floor(&self.text, self.span.start as usize);
        let end = floor(&self.text, self.span.end as usize).max(start);
        let marked = self.text[start..end].lines().next().unwrap_or("");
        let length = marked.chars().count().max(1);
        if self.origin.in_file()
            && let Ok(content) = std::fs::read_to_string(&*self.origin.file)
            && let Some(position) = self.find(&content, start, marked)
        {
            return position.with_length(length);
        }
        self.reckon(start).with_length(length)
    }

    /// The place of the marked text in the file: the same line of the template, at or after the scalar's beginning.
    fn find(&self, content: &str, start: usize, marked: &str) -> Option<Position> {
        if marked.trim().is_empty() {
            return None;
        }
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at);
        let line = &self.text[line_start..line_end];
        let first = self.origin.line.saturating_sub(1) as usize;
        let breaks = self.text.matches('\n').count();
        for (index, candidate) in content.lines().enumerate().skip(first).take(breaks + FOLDED_LINES) {
            if let Some(at) = candidate.find(line.trim_end()) {
                let byte = at + (start - line_start).min(candidate.len() - at);
                return Some(self.at(index, candidate, byte));
            }
        }
        // A folded or escaped scalar: at least the first line that has the marked text.
        for (index, candidate) in content.lines().enumerate().skip(first).take(breaks + FOLDED_LINES) {
            if let Some(at) = candidate.find(marked) {
                return Some(self.at(index, candidate, at));
            }
        }
        None
    }

    fn at(&self, line: usize, text: &str, byte: usize) -> Position {
        let column = text[..floor(text, byte)].chars().count() + 1;
        Position::new(self.origin.file.clone(), to_u32(line + 1), to_u32(column))
    }

    /// Without the file: on one line the scalar's column and the offset; over several, a block scalar's text begins on
    /// the line after its mark.
    fn reckon(&self, start: usize) -> Position {
        let before = &self.text[..start];
        let breaks = before.matches('\n').count();
        if self.origin.column == 0 {
            let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
            return Position::new(self.origin.file.clone(), self.origin.line + to_u32(breaks), to_u32(column));
        }
        if !self.text.trim_end_matches('\n').contains('\n') {
            let quote = usize::from(self.origin.length as usize == self.text.chars().count() + 2);
            let column = self.origin.column as usize + quote + before.chars().count();
            return Position::new(self.origin.file.clone(), self.origin.line, to_u32(column));
        }
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Position::new(self.origin.file.clone(), self.origin.line + to_u32(breaks + 1), to_u32(column))
    }
}

/// How many lines after a scalar's beginning its text is sought: folded scalars have more lines than their text.
const FOLDED_LINES: usize = 40;

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The nearest character boundary at or before a byte.
fn floor(text: &str, byte: usize) -> usize {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

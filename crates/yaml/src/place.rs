//! From the parser's places (lines from 1, columns from 0) to ours (both from 1).

use diagnostic::Position;
use granit_parser::{Marker, Span};
use std::sync::Arc;

/// One text under the name that positions give it.
pub(crate) struct Source<'a> {
    pub file: Arc<str>,
    pub text: &'a str,
}

impl<'a> Source<'a> {
    pub fn new(file: &str, text: &'a str) -> Self {
        Self { file: Arc::from(file), text }
    }

    /// One character at `marker`.
    pub fn at(&self, marker: &Marker) -> Position {
        self.point(marker.line(), marker.col() + 1)
    }

    /// The first line of `span`.
    pub fn over(&self, span: &Span) -> Position {
        let position = self.at(&span.start);
        let length = match span.slice(self.text) {
            Some(text) => text.split(['\n', '\r']).next().unwrap_or_default().trim_end().chars().count(),
            None => 1,
        };
        position.with_length(length)
    }

    /// A block sequence that is not indented deeper than its key is reported behind its first dash.
    pub fn of_sequence(&self, span: &Span) -> Position {
        let position = self.at(&span.start);
        let Some(before) = span.start.byte_offset().and_then(|offset| self.text.get(..offset)) else { return position };
        if self.text[before.len()..].starts_with(['-', '[']) {
            return position;
        }
        let line = before.rsplit(['\n', '\r']).next().unwrap_or_default();
        match line.trim_end().strip_suffix('-') {
            Some(indentation) => self.point(span.start.line(), indentation.chars().count() + 1),
            None => position,
        }
    }

    /// A line, counted from 1, without its end.
    pub fn line(&self, number: usize) -> &'a str {
        self.lines().nth(number.saturating_sub(1)).unwrap_or_default()
    }

    /// The lines, ended by `\n`, `\r\n` or `\r` as in the parser, without a byte order mark.
    pub fn lines(&self) -> impl Iterator<Item = &'a str> {
        let mut rest = Some(self.text.strip_prefix('\u{feff}').unwrap_or(self.text));
        std::iter::from_fn(move || {
            let text = rest?;
            let Some(end) = text.find(['\n', '\r']) else {
                rest = None;
                return Some(text);
            };
            let after = &text[end..];
            rest = Some(after.strip_prefix("\r\n").unwrap_or(&after[1..]));
            Some(&text[..end])
        })
    }

    /// The number of the line, from 1, that holds the byte at `offset`.
    pub fn line_of(&self, offset: usize) -> usize {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let breaks = before.matches(['\n', '\r']).count();
        breaks - before.matches("\r\n").count() + 1
    }

    /// A place by line and column, both from 1.
    pub fn point(&self, line: usize, column: usize) -> Position {
        let bounded = |number: usize| u32::try_from(number.max(1)).unwrap_or(u32::MAX);
        Position::new(Arc::clone(&self.file), bounded(line), bounded(column))
    }
}

//! The lines of a text, each with its place.

/// A text and where its lines begin.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(after).collect() }
    }

    pub(super) fn count(&self) -> usize {
        self.starts.len()
    }

    /// The line in which a byte stands, from 0.
    pub(super) fn at(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Where a line begins.
    pub(super) fn start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.text.len())
    }

    /// A line without its end; empty when there is none.
    pub(super) fn get(&self, line: usize) -> &'t str {
        let line = self.text.get(self.start(line)..self.start(line + 1)).unwrap_or_default();
        line.trim_end_matches(['\n', '\r'])
    }

    /// Everything from a byte on.
    pub(super) fn rest(&self, offset: usize) -> &'t str {
        self.text.get(offset..).unwrap_or_default()
    }

    /// The column of a byte in characters, from 1.
    pub(super) fn column(&self, offset: usize) -> usize {
        let start = self.start(self.at(offset));
        self.text.get(start..offset).map_or(1, |before| before.chars().count() + 1)
    }
}

/// How far a line is indented.
pub(super) fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

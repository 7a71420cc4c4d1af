//! Where something stands in a file.

use std::fmt;
use std::sync::Arc;

/// A place in a file that a person wrote: file, line and column, both counted from 1 as editors do, and how many
/// characters of that line are meant.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The file as the user would name it (relative where they gave a relative path), or a description in angle
    /// brackets such as `<command line>`.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// How many characters to mark, at least 1.
    pub length: u32,
}

impl Position {
    /// A position that marks one character.
    pub fn new(file: impl Into<Arc<str>>, line: u32, column: u32) -> Self {
        Self { file: file.into(), line, column, length: 1 }
    }

    /// The same place, marking `length` characters.
    #[must_use]
    pub fn with_length(self, length: usize) -> Self {
        Self { length: u32::try_from(length).unwrap_or(u32::MAX).max(1), ..self }
    }

    /// Whether the position lies in a file that can be read again to show the line.
    pub fn in_file(&self) -> bool {
        !self.file.starts_with('<')
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

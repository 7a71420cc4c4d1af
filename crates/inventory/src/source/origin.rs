//! Where a source is.

use crate::absolute;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostic::Position;
use std::sync::Arc;
use yaml::Node;

/// A file or host list, as the user names it and as its hosts' variables tell it.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// The name in positions.
    pub shown: Arc<str>,
    /// `inventory_file`.
    file: Utf8PathBuf,
    /// `inventory_dir`; for a list it is Python's word for nothing, as text, in ansible-core 2.19.
    directory: Utf8PathBuf,
}

impl Origin {
    pub fn file(path: &Utf8Path) -> Self {
        let file = absolute(path);
        Self { shown: Arc::from(path.as_str()), directory: file.parent().unwrap_or(&file).to_owned(), file }
    }

    pub fn list(text: &str) -> Self {
        Self { shown: Arc::from(format!("<inventory `{text}`>")), file: text.into(), directory: "None".into() }
    }

    /// A place in the source; line and column from 1.
    pub fn at(&self, line: usize, column: usize) -> Position {
        let bounded = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Position::new(Arc::clone(&self.shown), bounded(line), bounded(column))
    }

    /// The variables that every host has from the source that first names it.
    pub fn variables(&self, position: &Position) -> [(String, Node); 2] {
        let text = |path: &Utf8Path| Node::string(path.as_str(), position.clone()).into_unsafe();
        [("inventory_file".to_owned(), text(&self.file)), ("inventory_dir".to_owned(), text(&self.directory))]
    }
}

//! The files of a folder, in memory, so that rules are functions over data.

use crate::Error;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;

/// The files below a folder by their paths in it, with `/`. Links are left out: what they lead to is checked where it lies.
#[derive(Debug, Clone, Default)]
pub struct Files {
    folder: Utf8PathBuf,
    contents: BTreeMap<String, Vec<u8>>,
}

impl Files {
    /// None yet.
    pub fn new(folder: impl Into<Utf8PathBuf>) -> Self {
        Self { folder: folder.into(), contents: BTreeMap::new() }
    }

    /// Reads all files of a folder and of those in it.
    ///
    /// # Errors
    /// A file or folder can't be read.
    pub fn read(folder: &Utf8Path) -> Result<Self, Error> {
        let mut files = Self::new(folder);
        files.read_folder(folder, "")?;
        Ok(files)
    }

    fn read_folder(&mut self, folder: &Utf8Path, below: &str) -> Result<(), Error> {
        let unreadable = |path: &Utf8Path| {
            let path = path.to_owned();
            move |source| Error::Unreadable { path, source }
        };
        for entry in folder.read_dir_utf8().map_err(unreadable(folder))? {
            let entry = entry.map_err(unreadable(folder))?;
            let (path, name) = (entry.path(), format!("{below}{}", entry.file_name()));
            let kind = entry.file_type().map_err(unreadable(path))?;
            if kind.is_dir() {
                self.read_folder(path, &format!("{name}/"))?;
            } else if kind.is_file() {
                self.insert(name, std::fs::read(path).map_err(unreadable(path))?);
            }
        }
        Ok(())
    }

    /// Adds or replaces a file.
    pub fn insert(&mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) {
        self.contents.insert(path.into(), content.into());
    }

    /// Takes a file away.
    pub fn remove(&mut self, path: &str) {
        self.contents.remove(path);
    }

    /// What a file holds.
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        self.contents.get(path).map(Vec::as_slice)
    }

    /// The text of a file; `None` if there is no such file, or it is no text.
    pub fn text(&self, path: &str) -> Option<&str> {
        std::str::from_utf8(self.bytes(path)?).ok()
    }

    /// Whether there is a file.
    pub fn has(&self, path: &str) -> bool {
        self.contents.contains_key(path)
    }

    /// The paths of all files.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.contents.keys().map(String::as_str)
    }

    /// A file's path as people name it.
    pub fn path(&self, path: &str) -> String {
        self.folder.join(path).into_string()
    }
}

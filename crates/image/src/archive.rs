//! Tar archives whose bytes depend on nothing but what is in them: entries sorted by path, no times, no names of users, root
//! owns all, parents come first.

use flate2::{Compression, GzBuilder};
use std::collections::BTreeMap;
use std::io::{self, Write};
use tar::{Builder, EntryType, Header};

/// An archive under construction.
#[derive(Debug, Default)]
pub struct Archive {
    /// By path; directories end in `/`, which sorts them before what they hold.
    entries: BTreeMap<String, (u32, Vec<u8>)>,
}

impl Archive {
    /// Adds a file, and the directories above it.
    pub fn file(&mut self, path: &str, mode: u32, content: impl Into<Vec<u8>>) {
        for (at, _) in path.match_indices('/') {
            self.directory(&path[..at], 0o755);
        }
        self.entries.insert(path.to_owned(), (mode, content.into()));
    }

    /// Adds a directory.
    pub fn directory(&mut self, path: &str, mode: u32) {
        self.entries.entry(format!("{path}/")).or_insert((mode, Vec::new()));
    }

    /// The archive.
    ///
    /// # Errors
    /// A path is too long for a tar archive.
    pub fn tar(&self) -> io::Result<Vec<u8>> {
        let mut builder = Builder::new(Vec::new());
        for (path, (mode, content)) in &self.entries {
            let mut header = Header::new_ustar();
            header.set_entry_type(if path.ends_with('/') { EntryType::Directory } else { EntryType::Regular });
            header.set_mode(*mode);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(0);
            header.set_size(content.len() as u64);
            builder.append_data(&mut header, path, content.as_slice())?;
        }
        builder.into_inner()
    }
}

/// Packed, without time, name or operating system in the head (RFC 1952 section 2.3.1: 255 is unknown).
///
/// # Errors
/// None that memory gives.
pub fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_in_which_files_are_added_does_not_show() {
        let (mut one, mut other) = (Archive::default(), Archive::default());
        one.file("etc/passwd", 0o644, "a");
        one.file("etc/ssl/certs/b", 0o644, "b");
        other.file("etc/ssl/certs/b", 0o644, "b");
        other.file("etc/passwd", 0o644, "a");
        assert_eq!(one.tar().unwrap(), other.tar().unwrap());
    }

    #[test]
    fn parents_come_first_and_nothing_tells_when_or_by_whom() {
        let mut archive = Archive::default();
        archive.file("usr/bin/x", 0o755, "x");
        let bytes = archive.tar().unwrap();
        let mut read = tar::Archive::new(bytes.as_slice());
        let mut paths = Vec::new();
        for entry in read.entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.mtime().unwrap(), header.uid().unwrap(), header.gid().unwrap()), (0, 0, 0));
            assert_eq!(header.username_bytes().unwrap_or_default(), b"");
            paths.push((String::from_utf8(entry.path_bytes().into_owned()).unwrap(), header.mode().unwrap()));
        }
        let expected = [("usr/", 0o755), ("usr/bin/", 0o755), ("usr/bin/x", 0o755)];
        assert_eq!(paths, expected.map(|(path, mode)| (path.to_owned(), mode)));
    }

    #[test]
    fn a_packed_archive_has_no_time() {
        let packed = gzip(b"content").unwrap();
        assert_eq!(packed[3..8], [0; 5], "flags and time");
        assert_eq!(packed[9], 255);
    }
}

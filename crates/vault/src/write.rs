//! Writing a file so that a crash leaves the old or the new content, never half of it.

use crate::Error;
use std::fs::{File, Metadata, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// As many links lead to a file on Linux.
const LINKS: usize = 40;

/// Writes a file. One that exists keeps its mode and owner; a new one gets `mode`. Links are followed. The new content
/// is written beside the file, readable for its owner only until it has taken the file's place.
///
/// # Errors
/// Something on the way fails: then the file is as it was.
pub fn write_atomically(path: &Path, content: &[u8], mode: u32) -> Result<(), Error> {
    let failed = |doing| move |source| Error::Write { path: path.to_owned(), doing, source };
    let target = resolve(path).map_err(failed("find"))?;
    let existing = match target.metadata() {
        Ok(data) => Some(data),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed("write")(error)),
    };
    if existing.as_ref().is_some_and(Metadata::is_dir) {
        return Err(failed("write")(io::ErrorKind::IsADirectory.into()));
    }
    if existing.as_ref().is_some_and(|data| !data.is_file()) {
        // A pipe or a terminal has no place that could be taken.
        return File::options()
            .write(true)
            .open(&target)
            .and_then(|mut it| it.write_all(content))
            .map_err(failed("write"));
    }
    let directory = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = beside(directory, &target).map_err(failed("make a file beside"))?;
    new.write_all(content).map_err(failed("write"))?;
    dress(new.as_file(), existing.as_ref(), mode).map_err(failed("keep mode and owner of"))?;
    new.as_file().sync_all().map_err(failed("write"))?;
    new.persist(&target).map_err(|error| failed("replace")(error.error))?;
    // Without this the rename itself may be lost; some file systems can't do it, and then nothing is.
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
    Ok(())
}

/// A file in the same directory, since only within a file system can it take the other's place. Mode 0600.
fn beside(directory: &Path, target: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(target.file_name().unwrap_or_default());
    prefix.push(".");
    // A name as long as names may be has no room for more.
    let prefix = if prefix.len() > 200 { ".vault.".into() } else { prefix };
    tempfile::Builder::new().prefix(&prefix).permissions(Permissions::from_mode(0o600)).tempfile_in(directory)
}

/// Owner first, since changing it takes bits of the mode away.
fn dress(file: &File, existing: Option<&Metadata>, mode: u32) -> io::Result<()> {
    if let Some(existing) = existing {
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (existing.uid(), existing.gid()) {
            fchown(file, Some(existing.uid()), Some(existing.gid()))?;
        }
    }
    let mode = existing.map_or(mode, |existing| existing.mode() & 0o7777);
    file.set_permissions(Permissions::from_mode(mode))
}

/// Where the links lead. The file at the end need not exist.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..LINKS {
        match std::fs::symlink_metadata(&target) {
            Ok(data) if data.is_symlink() => {
                let next = std::fs::read_link(&target)?;
                target = target.parent().map_or_else(|| next.clone(), |parent| parent.join(&next));
            }
            _ => return Ok(target),
        }
    }
    Err(io::Error::other("too many links"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o7777
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = directory.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names.into_iter().map(|name| name.into_string().unwrap()).collect()
    }

    #[test]
    fn a_new_file_gets_the_mode_and_an_old_one_keeps_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_atomically(&path, b"one", 0o640).unwrap();
        assert_eq!((std::fs::read(&path).unwrap(), mode(&path)), (b"one".to_vec(), 0o640));
        std::fs::set_permissions(&path, Permissions::from_mode(0o751)).unwrap();
        let before = path.metadata().unwrap().ino();
        write_atomically(&path, b"two", 0o600).unwrap();
        assert_eq!((std::fs::read(&path).unwrap(), mode(&path)), (b"two".to_vec(), 0o751));
        // Another file took its place, which is what makes it all or nothing.
        assert_ne!(path.metadata().unwrap().ino(), before);
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn links_stay() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("deep")).unwrap();
        symlink("deep/second", folder.path().join("first")).unwrap();
        symlink("file", folder.path().join("deep/second")).unwrap();
        for content in [b"one", b"two"] {
            write_atomically(&folder.path().join("first"), content, 0o600).unwrap();
            assert_eq!(std::fs::read(folder.path().join("deep/file")).unwrap(), content);
        }
        assert!(folder.path().join("first").is_symlink() && folder.path().join("deep/second").is_symlink());
        assert_eq!(names(&folder.path().join("deep")), ["file", "second"]);
    }

    #[test]
    fn what_can_not_be_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: &Path| write_atomically(path, b"x", 0o600).unwrap_err().to_string();
        assert!(error(folder.path()).starts_with("can't write `/"));
        assert!(error(&folder.path().join("none/a")).starts_with("can't make a file beside `/"));
        symlink("loop", folder.path().join("loop")).unwrap();
        assert!(error(&folder.path().join("loop")).starts_with("can't find `/"));
        assert_eq!(names(folder.path()), ["loop"]);
    }

    #[test]
    fn a_long_name_is_no_trouble() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x".repeat(255));
        write_atomically(&path, b"one", 0o600).unwrap();
        assert_eq!(std::fs::read(path).unwrap(), b"one");
    }

    #[test]
    fn a_device_is_written_in_place() {
        write_atomically(Path::new("/dev/null"), b"one", 0o600).unwrap();
        assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
    }

    #[test]
    fn a_bare_name_is_a_file_here() {
        // The current directory of a test is its crate's.
        let name = format!("bare-{}.tmp", std::process::id());
        write_atomically(Path::new(&name), b"one", 0o600).unwrap();
        assert_eq!(std::fs::read(&name).unwrap(), b"one");
        std::fs::remove_file(&name).unwrap();
    }
}

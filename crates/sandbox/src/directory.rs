//! Where a sandbox keeps its files.

use crate::{Component, Error};
use camino::{Utf8Path, Utf8PathBuf};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};

/// `<root>/.cluster/sandbox`, and what lies in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directory {
    root: Utf8PathBuf,
}

impl Directory {
    /// The sandbox of a project; `root` is made absolute.
    pub(crate) fn of_project(root: &Utf8Path) -> Self {
        let absolute = root.canonicalize_utf8().ok().or_else(|| camino::absolute_utf8(root).ok());
        Self { root: absolute.unwrap_or_else(|| root.to_owned()) }
    }

    /// From the path of the sandbox itself, as the controller gets it.
    pub(crate) fn from_path(path: &Utf8Path) -> Option<Self> {
        Some(Self { root: path.parent()?.parent()?.to_owned() }).filter(|directory| directory.path() == path)
    }

    pub(crate) fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// `.cluster`, which other parts may use as well.
    pub(crate) fn parent(&self) -> Utf8PathBuf {
        self.root.join(".cluster")
    }

    pub(crate) fn path(&self) -> Utf8PathBuf {
        self.parent().join("sandbox")
    }

    pub(crate) fn lock(&self) -> Utf8PathBuf {
        self.parent().join("sandbox.lock")
    }

    pub(crate) fn state(&self) -> Utf8PathBuf {
        self.path().join("state.json")
    }

    pub(crate) fn kubeconfig(&self) -> Utf8PathBuf {
        self.path().join("kubeconfig")
    }

    pub(crate) fn component_kubeconfig(&self, component: Component) -> Utf8PathBuf {
        self.path().join("certs").join(format!("{component}.kubeconfig"))
    }

    pub(crate) fn vars(&self) -> Utf8PathBuf {
        self.path().join("vars.yml")
    }

    pub(crate) fn certificates(&self) -> Utf8PathBuf {
        self.path().join("certs")
    }

    pub(crate) fn certificate(&self, file: &str) -> Utf8PathBuf {
        self.certificates().join(file)
    }

    pub(crate) fn etcd_data(&self) -> Utf8PathBuf {
        self.path().join("etcd")
    }

    pub(crate) fn stages(&self) -> Utf8PathBuf {
        self.path().join("kwok.yaml")
    }

    pub(crate) fn logs(&self) -> Utf8PathBuf {
        self.path().join("logs")
    }

    pub(crate) fn log(&self, component: Component) -> Utf8PathBuf {
        self.logs().join(format!("{component}.log"))
    }

    /// Makes the folders, for their owner alone: the keys in them open the whole cluster.
    pub(crate) fn create(&self) -> Result<(), Error> {
        for path in [self.path(), self.certificates(), self.logs(), self.etcd_data()] {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&path)
                .map_err(Error::file("make the folder", &path))?;
        }
        Ok(())
    }

    /// The keys in it are its owner's alone, so nobody else can do anything with it.
    pub(crate) fn check_owner(&self) -> Result<(), Error> {
        let user = rustix::process::geteuid();
        let Ok(found) = std::fs::metadata(self.path()) else { return Ok(()) };
        if is_foreign(found.uid(), user.as_raw()) {
            return Err(Error::Foreign { directory: self.path() });
        }
        Ok(())
    }

    /// Deletes all files, and `.cluster` if nothing else is in it.
    pub(crate) fn remove(&self) -> Result<(), Error> {
        match std::fs::remove_dir_all(self.path()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::file("delete", self.path())(error))
            }
            _ => Ok(()),
        }
    }
}

/// root may use everybody's.
fn is_foreign(owner: u32, user: u32) -> bool {
    user != 0 && user != owner
}

/// Writes a file for its owner alone, unless it holds the same already. The name points to the whole old or the whole
/// new text at any time.
pub(crate) fn write(path: &Utf8Path, text: &str) -> Result<bool, Error> {
    if std::fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(false);
    }
    let temporary = path.with_extension(format!("{}.new", std::process::id()));
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| std::fs::rename(&temporary, path))
        .map_err(Error::file("write", path))?;
    Ok(true)
}

/// The last lines of a file, `""` if it can't be read. Logs of Go programs may be long: only the end is read.
pub(crate) fn tail(path: &Utf8Path, lines: usize) -> String {
    use std::io::{Read, Seek, SeekFrom};
    const ENOUGH: u64 = 16 * 1024;
    let read = || {
        let mut file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(ENOUGH)))?;
        let mut bytes = Vec::new();
        file.take(ENOUGH).read_to_end(&mut bytes)?;
        std::io::Result::Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    let all: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        (folder, path)
    }

    #[test]
    fn only_root_uses_what_is_somebody_elses() {
        assert!(is_foreign(0, 1000) && is_foreign(1001, 1000));
        assert!(!is_foreign(1000, 1000) && !is_foreign(1000, 0));
    }

    #[test]
    fn the_controller_finds_the_directory_again() {
        let directory = Directory { root: "/p".into() };
        assert_eq!(Directory::from_path(&directory.path()), Some(directory));
        assert_eq!(Directory::from_path("/etc".into()), None);
    }

    #[test]
    fn files_are_private_and_left_alone_when_equal() {
        let (_guard, path) = scratch();
        let file = path.join("kubeconfig");
        assert!(write(&file, "a").unwrap());
        assert!(!write(&file, "a").unwrap());
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(path.read_dir_utf8().unwrap().count(), 1);
    }

    #[test]
    fn the_tail_of_a_log_is_its_last_lines() {
        let (_guard, path) = scratch();
        let file = path.join("log");
        std::fs::write(&file, "one\ntwo\n\nthree\n").unwrap();
        assert_eq!(tail(&file, 2), "two\nthree");
        assert_eq!(tail(&path.join("none"), 2), "");
    }

    #[test]
    fn a_project_that_does_not_exist_yet_has_an_absolute_path() {
        assert!(Directory::of_project("nowhere".into()).root().is_absolute());
    }
}

//! Where relative paths of a task are looked for.

use crate::load::{Level, Play};
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

/// The folders of a task's search path, nearest first: of the task file that it stands in, of the files that include that
/// one, of the playbook (`Base.get_search_path`, 2.19).
pub(crate) fn search_path(play: &Play, level: &Level) -> Vec<Utf8PathBuf> {
    let mut folders: Vec<Utf8PathBuf> = Vec::new();
    let files = level.chain().filter_map(|level| level.kind.folder());
    for folder in files.chain([&play.directory, &play.playbook_directory]) {
        if !folders.contains(folder) {
            folders.push(folder.clone());
        }
    }
    folders
}

/// The same with the folder of a kind beside each: `tasks/`, `vars/`.
pub(crate) fn with_kind(folders: &[Utf8PathBuf], kind: &str) -> Vec<Utf8PathBuf> {
    folders.iter().flat_map(|folder| [crate::load::sources::join(folder, kind), folder.clone()]).collect()
}

/// An absolute form without `.` and `..`, links not followed, as Ansible shows it in `playbook_dir`.
pub(crate) fn absolute(path: &Utf8Path) -> Utf8PathBuf {
    let mut clean = Utf8PathBuf::new();
    for component in from_root(path).components() {
        match component {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}

/// From the root, otherwise as it is.
pub(crate) fn from_root(path: &Utf8Path) -> Utf8PathBuf {
    camino::absolute_utf8(path).unwrap_or_else(|_| path.to_owned())
}

//! All or nothing: the files are written beside their place first, then moved; what goes wrong in between is taken back.

use super::check::Surroundings;
use super::files::{Content, File, Plan};
use crate::exit::{Failure, Result};
use camino::{Utf8Path, Utf8PathBuf};
use catalog::ServiceName;
use catalog::lint::Images;
use diagnostic::Exit;
use std::fs;
use std::io::{self, Write};

/// Writes everything.
pub(super) fn write(plan: &Plan, name: &ServiceName, surroundings: &Surroundings) -> Result<()> {
    let build = surroundings.root.join("build");
    // In the same file system, so that a move is one step.
    let staging = tempfile::Builder::new().prefix(".new-").tempdir_in(&build).map_err(|error| failed(&build, error))?;
    let staged =
        Utf8Path::from_path(staging.path()).ok_or_else(|| failed(&build, io::ErrorKind::InvalidFilename.into()))?;
    let moves = [
        Move { from: staged.join("playbook"), to: surroundings.playbook(name) },
        Move { from: staged.join("chart"), to: surroundings.chart(name) },
    ];
    for (files, Move { from, .. }) in [&plan.playbook, &plan.chart].into_iter().zip(&moves) {
        stage(files, from).map_err(|error| failed(from, error))?;
    }
    take_place(&moves, || match &plan.images {
        Some(text) => replace(&surroundings.root.join(Images::PATH), text),
        None => Ok(()),
    })
}

fn failed(path: &Utf8Path, error: io::Error) -> Failure {
    let path = crate::config::shown(path);
    Failure::new(Exit::Failed, format!("`{path}` can not be written, so nothing was")).because(error)
}

fn stage(files: &[File], folder: &Utf8Path) -> io::Result<()> {
    for File { path, content } in files {
        let path = folder.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        match content {
            Content::Text(text) => fs::write(&path, text)?,
            Content::Link(target) => std::os::unix::fs::symlink(target, &path)?,
        }
    }
    Ok(())
}

/// A folder that is ready, and where it belongs.
struct Move {
    from: Utf8PathBuf,
    to: Utf8PathBuf,
}

/// Moves all, then does the rest; after a failure the folders are where they were.
fn take_place(moves: &[Move], rest: impl FnOnce() -> std::result::Result<(), Failure>) -> Result<()> {
    let mut done: Vec<&Move> = Vec::new();
    let all = || {
        for one in moves {
            fs::rename(&one.from, &one.to).map_err(|error| failed(&one.to, error))?;
            done.push(one);
        }
        rest()
    };
    let ended = all();
    if ended.is_err() {
        for Move { from, to } in done.into_iter().rev() {
            fs::rename(to, from).map_err(|error| left(to, error))?;
        }
    }
    Ok(ended?)
}

fn left(path: &Utf8Path, error: io::Error) -> Failure {
    let message = format!("`{path}` can not be taken back");
    Failure::new(Exit::Failed, message).because(error).hinted("remove it by hand")
}

/// Replaces a file in one step; a reader sees the old text or the new one.
fn replace(path: &Utf8Path, text: &str) -> std::result::Result<(), Failure> {
    let replaced = || -> io::Result<()> {
        let folder = path.parent().unwrap_or_else(|| Utf8Path::new("/"));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        // A temporary file is the user's alone; this one is everybody's to read, or as it was.
        let permissions = match fs::metadata(path) {
            Ok(metadata) => metadata.permissions(),
            Err(_) => std::os::unix::fs::PermissionsExt::from_mode(0o644),
        };
        file.as_file().set_permissions(permissions)?;
        file.persist(path)?;
        Ok(())
    };
    replaced().map_err(|error| failed(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        (folder, path)
    }

    fn moves(root: &Utf8Path, second: &str) -> [Move; 2] {
        ["one", "two"].iter().for_each(|name| fs::create_dir(root.join(name)).unwrap());
        [
            Move { from: root.join("one"), to: root.join("first") },
            Move { from: root.join("two"), to: root.join(second) },
        ]
    }

    #[test]
    fn all_folders_take_their_place() {
        let (_folder, root) = folder();
        take_place(&moves(&root, "second"), || Ok(())).unwrap();
        assert!(root.join("first").is_dir() && root.join("second").is_dir());
    }

    #[test]
    fn when_one_can_not_none_does() {
        let (_folder, root) = folder();
        let error = take_place(&moves(&root, "missing/second"), || Ok(())).unwrap_err();
        assert!(error.to_string().contains("missing/second"), "{error}");
        assert!(root.join("one").is_dir() && !root.join("first").exists());
    }

    #[test]
    fn when_the_rest_fails_the_folders_go_back() {
        let (_folder, root) = folder();
        take_place(&moves(&root, "second"), || Err(Failure::usage("no"))).unwrap_err();
        assert!(root.join("one").is_dir() && root.join("two").is_dir() && !root.join("second").exists());
    }

    #[test]
    fn a_replaced_file_keeps_its_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, root) = folder();
        let path = root.join("images.yml");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        replace(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }
}

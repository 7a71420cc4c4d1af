//! Files on the controller: `path is file`, `is directory`, …

use super::registry::{Test, plain};
use crate::error::Error;
use crate::eval::{Args, Bound, text};
use std::path::Path;

pub(super) const TESTS: &[(&str, Test)] = &[
    ("abs", plain(|_, args| path(args, Path::is_absolute))),
    ("directory", plain(|_, args| path(args, Path::is_dir))),
    ("exists", plain(|_, args| path(args, Path::exists))),
    ("file", plain(|_, args| path(args, Path::is_file))),
    ("is_abs", plain(|_, args| path(args, Path::is_absolute))),
    ("is_dir", plain(|_, args| path(args, Path::is_dir))),
    ("is_file", plain(|_, args| path(args, Path::is_file))),
    ("is_link", plain(|_, args| path(args, Path::is_symlink))),
    ("is_mount", plain(|_, args| path(args, is_mount))),
    ("is_same_file", plain(|_, args| same_file(args))),
    ("link", plain(|_, args| path(args, Path::is_symlink))),
    ("link_exists", plain(|_, args| path(args, |path| path.symlink_metadata().is_ok()))),
    ("mount", plain(|_, args| path(args, is_mount))),
    ("same_file", plain(|_, args| same_file(args))),
];

fn path(args: Args, holds: impl FnOnce(&Path) -> bool) -> Result<bool, Error> {
    let [path] = args.bind(["path"])?;
    Ok(holds(Path::new(&text(&path.need("path")?)?)))
}

/// As Python's `os.path.ismount`: another device than the directory above, or the root.
fn is_mount(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(own), Ok(above)) = (path.symlink_metadata(), path.join("..").metadata()) else { return false };
    !own.is_symlink() && (own.dev() != above.dev() || own.ino() == above.ino())
}

fn same_file(args: Args) -> Result<bool, Error> {
    let [a, b] = args.bind(["a", "b"])?;
    let real = |path: String| {
        std::fs::canonicalize(&path).map_err(|error| Error::operation(format!("can't find `{path}`: {error}")))
    };
    Ok(real(text(&a.need("a")?)?)? == real(text(&b.need("b")?)?)?)
}

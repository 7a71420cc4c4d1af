//! The files of a project, without those that Git ignores and those that tools made.

use super::{Finding, scan};
use ignore::WalkBuilder;
use std::path::{Path, PathBuf};

/// Folders that hold no source, whatever `.gitignore` says.
const SKIPPED: [&str; 6] = [".git", "target", ".tools", ".cluster", "node_modules", "__pycache__"];

/// Text files are smaller: 8 MiB.
const LARGEST_BYTES: u64 = 8 << 20;

/// The files below a folder, or the file itself, sorted. Links are not followed: what they lead to is found where it lies.
pub fn files(root: &Path) -> Vec<PathBuf> {
    let mut walk = WalkBuilder::new(root);
    walk.hidden(false).ignore(false).require_git(false).follow_links(false);
    walk.filter_entry(|entry| {
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        !(is_folder && entry.depth() > 0 && entry.file_name().to_str().is_some_and(|name| SKIPPED.contains(&name)))
    });
    let entries = walk.build().filter_map(Result::ok);
    let files = entries.filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    let mut files: Vec<PathBuf> = files.map(ignore::DirEntry::into_path).collect();
    files.sort();
    files
}

/// The secrets in plain text in all files below a folder. Paths in the findings begin with `root` as it was given. Files that can not be
/// read, or are no text, are left out.
pub fn below(root: &Path) -> Vec<Finding> {
    files(root)
        .iter()
        .flat_map(|path| text(path).map(|text| scan(&path.to_string_lossy(), &text)).unwrap_or_default())
        .collect()
}

fn text(path: &Path) -> Option<String> {
    let length = path.metadata().ok()?.len();
    let text = if length <= LARGEST_BYTES { std::fs::read_to_string(path).ok() } else { None };
    text.filter(|text| !text.contains('\0'))
}

//! Where Debian keeps the servers.

use std::path::{Path, PathBuf};

/// The program, from PATH or the places that are not on everybody's.
///
/// # Panics
/// When it is not installed.
pub fn installed(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    places.extend(["/usr/sbin", "/sbin"].map(PathBuf::from));
    places.extend(children("/usr/lib/postgresql").into_iter().map(|version| version.join("bin")));
    let found = places.into_iter().map(|place| place.join(program)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{program} is not installed: run scripts/test-setup.sh"))
}

/// A shared library in one of the system's directories for them.
pub(crate) fn library(name: &str) -> PathBuf {
    let mut places: Vec<PathBuf> = ["/usr/lib", "/usr/local/lib", "/usr/lib64"].map(PathBuf::from).into();
    places.extend(children("/usr/lib").into_iter().filter(|path| path.to_string_lossy().contains("linux-gnu")));
    let found = places.into_iter().map(|place| place.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is not installed: run scripts/test-setup.sh"))
}

fn children(directory: impl AsRef<Path>) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    paths.reverse();
    paths
}

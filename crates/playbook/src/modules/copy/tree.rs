//! A directory of the controller, copied with all that is in it.

use super::super::file as attributes_of;
use super::super::placing::Place;
use super::super::{Failure, Invocation, TaskResult};
use super::Options;
use crate::modules::attributes::FileMode;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;

/// What there is to copy, each with its path below the destination. (`_walk_dirs` in ansible-core's `plugins/action/copy.py`.)
#[derive(Debug, Default, PartialEq, Eq)]
struct Tree {
    files: Vec<(Utf8PathBuf, String)>,
    directories: Vec<String>,
    links: Vec<(String, String)>,
}

/// Copies the directory itself, or only what is in it.
pub(super) async fn copy(
    options: &Options,
    source: &Utf8Path,
    only_content: bool,
    invocation: &Invocation<'_>,
) -> Result<TaskResult, Failure> {
    let tree = Tree::read(source, only_content, options.local_follow)?;
    let dest = format!("{}/", options.place.dest.trim_end_matches('/'));
    let follow = options.place.follow && tree.directories.is_empty();
    let place = Place { dest: dest.clone(), follow, ..options.place.clone() };
    let (mut changed, mut last) = (false, None);
    for (path, name) in &tree.files {
        let result = super::file(options, path, name, place.clone(), invocation).await?;
        changed |= has_changed(&result);
        last = Some(result);
    }
    for name in &tree.directories {
        let mut attributes = place.attributes.clone();
        attributes.mode = place.directory_mode.clone();
        let path = format!("{dest}{name}");
        changed |= has_changed(&attributes_of::make_directory(path, attributes, invocation).await?);
    }
    for (target, name) in &tree.links {
        let mut attributes = place.attributes.clone();
        attributes.mode = attributes.mode.filter(|mode| *mode != FileMode::Preserve);
        let path = format!("{dest}{name}");
        changed |= has_changed(&attributes_of::make_link(path, target, attributes, follow, invocation).await?);
    }
    match last {
        Some(result) if tree.files.len() == 1 => Ok(result.with("changed", changed)),
        _ => {
            let source = source.as_str().trim_end_matches('/');
            let source = if only_content { format!("{source}/") } else { source.to_owned() };
            Ok(TaskResult::new(changed).with("dest", dest).with("src", source))
        }
    }
}

fn has_changed(result: &TaskResult) -> bool {
    result.0.get("changed") == Some(&true.into())
}

impl Tree {
    fn read(top: &Utf8Path, only_content: bool, follow: bool) -> Result<Self, Failure> {
        let mut tree = Self::default();
        let base = if only_content { String::new() } else { top.file_name().unwrap_or_default().to_owned() };
        let mut above = HashSet::from([identity(top)?]);
        tree.walk(top, &base, follow, &mut above)?;
        Ok(tree)
    }

    /// Names come in order, so that two runs do the same.
    fn walk(
        &mut self,
        folder: &Utf8Path,
        base: &str,
        follow: bool,
        above: &mut HashSet<(u64, u64)>,
    ) -> Result<(), Failure> {
        let entries = folder.read_dir_utf8().and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut entries = entries.map_err(|error| unreadable(folder, &error))?;
        entries.sort_by(|a, b| a.file_name().cmp(b.file_name()));
        for entry in entries {
            let path = entry.path();
            let name =
                if base.is_empty() { entry.file_name().to_owned() } else { format!("{base}/{}", entry.file_name()) };
            let is_link = path.is_symlink();
            // A directory that contains itself by a link ends there: the link is copied as such.
            let ends_here =
                is_link && (!follow || !path.exists() || (path.is_dir() && above.contains(&identity(path)?)));
            if ends_here {
                let target = path.read_link_utf8().map_err(|error| unreadable(path, &error))?;
                self.links.push((target.into_string(), name));
            } else if path.is_dir() {
                let identity = identity(path)?;
                self.directories.push(name.clone());
                above.insert(identity);
                self.walk(path, &name, follow, above)?;
                above.remove(&identity);
            } else {
                self.files.push((path.to_owned(), name));
            }
        }
        Ok(())
    }
}

fn identity(path: &Utf8Path) -> Result<(u64, u64), Failure> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    Ok((metadata.dev(), metadata.ino()))
}

fn unreadable(path: &Utf8Path, error: &std::io::Error) -> Failure {
    Failure::message(format!("could not read src={path}, {error}"))
}

//! Which services use a file, by where it lies.

use camino::{Utf8Path, Utf8PathBuf};
use catalog::Catalog;

/// Folders and who uses what is in them.
pub(super) struct Users(Vec<(Utf8PathBuf, String)>);

impl Users {
    /// A catalogue with mistakes is for other commands to tell of; nothing is known then.
    pub(super) fn new(catalog: Option<&Catalog>) -> Self {
        let folders = catalog.into_iter().flat_map(Catalog::iter).flat_map(|service| {
            [&service.folder, &service.chart_folder].map(|folder| (absolute(folder), service.name.to_string()))
        });
        Self(folders.collect())
    }

    /// Services by name, `inventory` for what all machines read.
    pub(super) fn of(&self, path: &Utf8Path) -> Vec<String> {
        let path = absolute(path);
        let is_of_inventory =
            path.components().any(|part| ["group_vars", "host_vars", "inventory"].contains(&part.as_str()));
        if is_of_inventory {
            return vec!["inventory".to_owned()];
        }
        let inside = self.0.iter().filter(|(folder, _)| path.starts_with(folder));
        let mut names: Vec<String> = inside.map(|(_, name)| name.clone()).collect();
        names.sort();
        names.dedup();
        names
    }
}

fn absolute(path: &Utf8Path) -> Utf8PathBuf {
    path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned())
}

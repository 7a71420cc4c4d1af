//! `group_vars` and `host_vars`: which files belong to a group or host, and what they set (ansible-core 2.19,
//! `plugins/vars/host_group_vars.py`, `DataLoader.find_vars_files`). Each is read once.

use crate::Error;
use crate::graph::Variables;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostic::{Mistake, Mistakes};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use yaml::Value;

/// Whose variables a file sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Owner {
    Group,
    Host,
}

impl Owner {
    fn directory(self) -> &'static str {
        match self {
            Self::Group => "group_vars",
            Self::Host => "host_vars",
        }
    }
}

type Key = (Utf8PathBuf, Owner, String);

/// What the files hold, as they were when first asked for.
#[derive(Debug, Default)]
pub(crate) struct VarsFiles {
    read: Mutex<HashMap<Key, Arc<Variables>>>,
}

impl VarsFiles {
    /// The variables that the files below `directory` set for a group or host.
    pub fn variables(&self, directory: &Utf8Path, owner: Owner, name: &str) -> Result<Arc<Variables>, Error> {
        let key = (directory.to_owned(), owner, name.to_owned());
        if let Some(known) = self.read.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(known));
        }
        let variables = Arc::new(read(directory, owner, name)?);
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&variables));
        Ok(variables)
    }
}

fn read(directory: &Utf8Path, owner: Owner, name: &str) -> Result<Variables, Error> {
    let base = directory.join(owner.directory());
    let mut variables = Variables::new();
    let mut mistakes = Mistakes::new();
    // A host may be called like a path (`chroot` connections); nothing outside the directory is looked for.
    if !name.starts_with('/') && base.is_dir() {
        for file in files(&base, name)? {
            match load(&file)? {
                Ok(more) => variables.extend(more),
                Err(found) => mistakes.extend(found),
            }
        }
    }
    mistakes.into_result().map_err(Error::Invalid)?;
    Ok(variables)
}

const EXTENSIONS: [&str; 3] = ["yml", "yaml", "json"];

/// `name`, a file or a directory, comes before `name.yml`; only the first that exists counts.
fn files(base: &Utf8Path, name: &str) -> Result<Vec<Utf8PathBuf>, Error> {
    let with_extensions = EXTENSIONS.iter().map(|extension| format!("{name}.{extension}"));
    let candidates = std::iter::once(name.to_owned()).chain(with_extensions).map(|name| base.join(name));
    match candidates.into_iter().find(|path| path.exists()) {
        Some(path) if path.is_dir() => below(&path),
        Some(path) => Ok(vec![path]),
        None => Ok(Vec::new()),
    }
}

/// The files below a directory in the order of their names, deeper ones where their directory stands.
fn below(directory: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Error> {
    let unreadable = |source| Error::Read { path: directory.to_owned(), source };
    let mut names = Vec::new();
    for entry in directory.read_dir_utf8().map_err(unreadable)? {
        names.push(entry.map_err(unreadable)?.file_name().to_owned());
    }
    names.sort_unstable();
    let mut found = Vec::new();
    for name in names.iter().filter(|name| !name.starts_with('.') && !name.ends_with('~')) {
        let path = directory.join(name);
        match path.extension() {
            None if path.is_dir() => found.extend(below(&path)?),
            None => found.push(path),
            Some(extension) if EXTENSIONS.contains(&extension) && path.is_file() => found.push(path),
            Some(_) => {}
        }
    }
    Ok(found)
}

fn load(path: &Utf8Path) -> Result<Result<Variables, Mistakes>, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    if text.starts_with("$ANSIBLE_VAULT") {
        return Err(Error::Unsupported {
            path: path.to_owned(),
            what: "the wholly encrypted variable file",
            hint: format!(
                "encrypt single values instead: `ansible-vault decrypt {path}`, then `ansible-vault encrypt_string`"
            ),
        });
    }
    let root = match yaml::load_one(path.as_str(), &text) {
        Ok(root) => root,
        Err(error) => return Ok(Err(error.into_mistakes())),
    };
    let entries = match root.value {
        Value::Mapping(entries) => entries,
        Value::Null => return Ok(Ok(Variables::new())),
        _ => {
            let mistake =
                Mistake::at(root.position.clone(), format!("a variable file is a mapping, not {}", root.kind()));
            return Ok(Err(mistake.labelled(root.kind()).hinted("write `name: value` lines").into()));
        }
    };
    let mut mistakes = Mistakes::new();
    let mut variables = Variables::new();
    for (name, value) in entries {
        match name.as_str() {
            Some(text) => {
                variables.insert(text.to_owned(), value);
            }
            None => mistakes.push(
                Mistake::at(
                    name.position.clone(),
                    format!("the name of a variable must be a string, not {}", name.kind()),
                )
                .labelled(name.kind())
                .hinted("quote it, or choose another name"),
            ),
        }
    }
    Ok(mistakes.into_result().map(|()| variables))
}

//! `group_vars` and `host_vars`: which files belong to a group or host, and what they set (ansible-core 2.19,
//! `plugins/vars/host_group_vars.py`, `DataLoader.find_vars_files`). Each is read once.

use crate::Error;
use crate::graph::Variables;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostic::{Mistake, Mistakes};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use yaml::{Node, Value};

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

/// Decrypts the text of a file that begins with the header of Ansible Vault, or says why it can't.
pub type Decrypt = dyn Fn(&str) -> Result<String, String> + Send + Sync;

/// What the files hold, as they were when first asked for.
pub(crate) struct VarsFiles {
    read: Mutex<HashMap<Key, Arc<Variables>>>,
    decrypt: Option<Arc<Decrypt>>,
}

/// Only which files were read: what they hold may be secret.
impl fmt::Debug for VarsFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.read.lock().unwrap_or_else(PoisonError::into_inner).keys()).finish()
    }
}

impl VarsFiles {
    /// None is read yet.
    pub fn new(decrypt: Option<Arc<Decrypt>>) -> Self {
        Self { read: Mutex::default(), decrypt }
    }

    /// The variables that the files below `directory` set for a group or host.
    pub fn variables(&self, directory: &Utf8Path, owner: Owner, name: &str) -> Result<Arc<Variables>, Error> {
        let key = (directory.to_owned(), owner, name.to_owned());
        if let Some(known) = self.read.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(known));
        }
        let variables = Arc::new(read(directory, owner, name, self.decrypt.as_deref())?);
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&variables));
        Ok(variables)
    }
}

fn read(directory: &Utf8Path, owner: Owner, name: &str, decrypt: Option<&Decrypt>) -> Result<Variables, Error> {
    let base = directory.join(owner.directory());
    let mut variables = Variables::new();
    let mut mistakes = Mistakes::new();
    // A host may be called like a path (`chroot` connections); nothing outside the directory is looked for.
    if !name.starts_with('/') && base.is_dir() {
        for file in files(&base, name)? {
            match load(&file, decrypt)? {
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

fn load(path: &Utf8Path, decrypt: Option<&Decrypt>) -> Result<Result<Variables, Mistakes>, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    if text.starts_with(VAULT_HEADER) {
        let decrypt = decrypt.ok_or_else(|| Error::NoPassword { path: path.to_owned() })?;
        let clear = decrypt(&text).map_err(|why| Error::Decrypt { path: path.to_owned(), why })?;
        return Ok(decrypted(path, &clear));
    }
    Ok(yaml::load_one(path.as_str(), &text).map_err(yaml::Error::into_mistakes).and_then(variables))
}

/// What a file begins with that Ansible Vault has encrypted.
const VAULT_HEADER: &str = "$ANSIBLE_VAULT";

/// The variables of a decrypted file, all of them secret. Its lines are not those of the file on disk, so positions must not
/// lead there; and what is wrong with it is told without its words.
fn decrypted(path: &Utf8Path, text: &str) -> Result<Variables, Mistakes> {
    let root = yaml::load_one(&format!("<{path}, decrypted>"), text).map_err(yaml::Error::into_mistakes);
    root.map(Node::into_secret).and_then(variables).map_err(|mistakes| {
        let mut told = Mistakes::new();
        for mistake in mistakes {
            let place = mistake.position.map(|at| format!(" at line {}, column {}", at.line, at.column));
            let message = format!("the decrypted text of `{path}` holds no variables{}", place.unwrap_or_default());
            told.push(Mistake::new(message).hinted(format!("look at it with `cluster vault edit {path}`")));
        }
        told
    })
}

/// The variables in a document: a mapping, or nothing.
fn variables(root: Node) -> Result<Variables, Mistakes> {
    let entries = match root.value {
        Value::Mapping(entries) => entries,
        Value::Null => return Ok(Variables::new()),
        _ => {
            let mistake =
                Mistake::at(root.position.clone(), format!("a variable file is a mapping, not {}", root.kind()));
            return Err(mistake.labelled(root.kind()).hinted("write `name: value` lines").into());
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
    mistakes.into_result().map(|()| variables)
}

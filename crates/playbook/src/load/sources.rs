//! Where playbooks and task files are read from.

use crate::modules::{self, Module};
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use diagnostic::{Mistake, Mistakes, Position};
use yaml::{Node, Parsed};

/// What reading a playbook depends on besides its files.
#[derive(Clone, Copy)]
pub struct Sources {
    /// The modules that tasks can use.
    pub modules: &'static [&'static Module],
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.modules.iter().map(|module| module.name)).finish()
    }
}

impl Default for Sources {
    fn default() -> Self {
        Self { modules: modules::ALL }
    }
}

impl Sources {
    /// The module of that name, short or with `ansible.builtin.` or `ansible.legacy.`.
    pub(crate) fn module(&self, name: &str) -> Option<&'static Module> {
        let short = short_name(name)?;
        self.modules.iter().copied().find(|module| module.name == short)
    }
}

/// `copy` for `ansible.builtin.copy` and `copy`; nothing for the name of another collection's module.
pub(crate) fn short_name(name: &str) -> Option<&str> {
    let short = ["ansible.builtin.", "ansible.legacy."].iter().find_map(|prefix| name.strip_prefix(prefix));
    let short = short.unwrap_or(name);
    (!short.contains('.')).then_some(short)
}

/// Reads the one document of a YAML file.
pub(crate) fn read(path: &Utf8Path) -> Result<(Node, Vec<Mistake>), Mistakes> {
    read_with(path, None)
}

/// What a file begins with that Ansible Vault has encrypted.
const VAULT_HEADER: &str = "$ANSIBLE_VAULT;";

/// Reads the one document of a YAML file, which may be encrypted; then all that it holds is secret.
pub(crate) fn read_with(
    path: &Utf8Path,
    decrypt: Option<&template::Decrypt>,
) -> Result<(Node, Vec<Mistake>), Mistakes> {
    let text = diagnostic::text("file", path.as_str(), std::fs::read(path))?;
    if text.starts_with(VAULT_HEADER) {
        let clear = decrypted(path, &text, decrypt)?;
        return Ok((read_secret(path, &clear)?, Vec::new()));
    }
    let Parsed { warnings, documents } = yaml::parse(path.as_str(), &text).map_err(|error| Mistakes::of(&error))?;
    let node =
        Parsed { documents, warnings: Vec::new() }.into_one(path.as_str()).map_err(|error| Mistakes::of(&error))?;
    Ok((node, warnings))
}

/// The text of an encrypted file.
pub(crate) fn decrypted(path: &Utf8Path, text: &str, decrypt: Option<&template::Decrypt>) -> Result<String, Mistake> {
    let refuse = |message: String| {
        let position = Position::new(path.as_str(), 1, 1).with_length(VAULT_HEADER.len() - 1);
        Mistake::at(position, message).hinted(template::PASSWORD_HINT)
    };
    let decrypt =
        decrypt.ok_or_else(|| refuse(format!("file `{path}` is encrypted, and there is no vault password")))?;
    decrypt(text).map_err(|why| refuse(format!("file `{path}` can not be decrypted: {why}")))
}

/// The document of a decrypted file. Its lines are not those of the file on disk, so positions must not lead there; and what
/// is wrong with it is told without its words, which are secret.
fn read_secret(path: &Utf8Path, text: &str) -> Result<Node, Mistakes> {
    let document = yaml::load_one(&format!("<{path}, decrypted>"), text).map_err(|error| Mistakes::of(&error));
    document.map(Node::into_secret).map_err(|mistakes| {
        let mistake = |mistake: Mistake| {
            let place = mistake.position.map(|at| format!(", at line {}, column {}", at.line, at.column));
            let message = format!("the decrypted text of `{path}` is no valid YAML{}", place.unwrap_or_default());
            Mistake::new(message).hinted(format!("look at it with `cluster vault edit {path}`"))
        };
        let mut told = Mistakes::new();
        mistakes.into_iter().for_each(|wrong| told.push(mistake(wrong)));
        told
    })
}

/// The first of the folders in which `path` is a file; an absolute path is taken as it is.
pub(crate) fn find_file(path: &str, directories: &[Utf8PathBuf]) -> Option<Utf8PathBuf> {
    if let Some(home) = path.strip_prefix("~/").and_then(|rest| Some((std::env::home_dir()?, rest))) {
        return Utf8PathBuf::from_path_buf(home.0.join(home.1)).ok().filter(|path| path.is_file());
    }
    let candidates = directories.iter().map(|directory| join(directory, path));
    candidates.into_iter().find(|candidate| candidate.is_file())
}

/// The same for a file of tasks, with the path that is shown where one of them fails.
pub(crate) fn find_tasks(path: &str, directories: &[Utf8PathBuf]) -> Option<Utf8PathBuf> {
    find_file(path, directories).map(|found| without_detours(&found))
}

/// Where [`find_file`] looks, as a hint for a file that is in none of them.
pub(crate) fn looked_in(directories: &[Utf8PathBuf]) -> String {
    let folders: Vec<_> = directories.iter().map(|folder| format!("`{}`", without_detours(folder))).collect();
    format!("correct the name, or make the file; it is looked for in {}", folders.join(", "))
}

/// `build/tasks/helm.yml` for `build/playbooks/ollama/../../tasks/helm.yml`, as a person would write it; the path as it is where links make
/// these two files.
fn without_detours(path: &Utf8Path) -> Utf8PathBuf {
    let mut short = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            Utf8Component::ParentDir if matches!(short.components().next_back(), Some(Utf8Component::Normal(_))) => {
                short.pop();
            }
            _ => short.push(component),
        }
    }
    let is_same = matches!((short.canonicalize(), path.canonicalize()), (Ok(short), Ok(path)) if short == path);
    if is_same { short } else { path.to_owned() }
}

/// `path` in `directory`, without a leading `./`.
pub(crate) fn join(directory: &Utf8Path, path: &str) -> Utf8PathBuf {
    let path = path.strip_prefix("./").unwrap_or(path);
    if directory == "." { Utf8PathBuf::from(path) } else { directory.join(path) }
}

/// The folder that a file lies in; `.` when its path has none.
pub(crate) fn directory_of(file: &Utf8Path) -> Utf8PathBuf {
    match file.parent() {
        Some(parent) if parent != "" => parent.to_owned(),
        _ => Utf8PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detours_go_unless_links_are_on_the_way() {
        let directory = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(directory.path()).unwrap();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::create_dir_all(root.join("tasks")).unwrap();
        std::fs::write(root.join("tasks/x.yml"), "").unwrap();
        std::fs::write(root.join("a/x.yml"), "").unwrap();
        std::os::unix::fs::symlink(root.join("a/b"), root.join("link")).unwrap();
        let find = |name: &str, folder: &str| find_tasks(name, &[root.join(folder)]);
        assert_eq!(find("../../tasks/x.yml", "a/b"), Some(root.join("tasks/x.yml")));
        assert_eq!(find("../x.yml", "link"), Some(root.join("link/../x.yml")));
    }
}

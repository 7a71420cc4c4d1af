//! What other programs need to work with the sandbox.

use crate::Tools;
use crate::directory::Directory;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

/// Variables for a shell.
pub(crate) fn shell(directory: &Directory, tools: &Tools) -> Vec<(String, String)> {
    let path = std::env::var("PATH").unwrap_or_default();
    let path = match tools.folder() {
        Some(folder) if path.split(':').next() != Some(folder.as_str()) => format!("{folder}:{path}"),
        _ => path,
    };
    vec![("KUBECONFIG".to_owned(), directory.kubeconfig().into_string()), ("PATH".to_owned(), path)]
}

/// `vars.yml`: Ansible's extra variables, for any engine. Extra variables beat a play's and a task's `become: yes`.
pub(crate) fn variables(directory: &Directory, tools: &Tools) -> String {
    let mut variables: Vec<(&str, Value)> = vec![
        ("ansible_connection", "local".into()),
        ("ansible_become", false.into()),
        ("kubeconfig", directory.kubeconfig().as_str().into()),
        ("source", "worktree".into()),
        ("source_dir", directory.root().as_str().into()),
    ];
    if let Some(python) = python(directory.root()) {
        variables.push(("ansible_python_interpreter", python.as_str().into()));
    }
    let found = ["helm", "kubectl"].into_iter().filter_map(|name| Some((name, tools.find(name)?)));
    variables.extend(found.map(|(name, path)| (name, path.as_str().into())));
    // JSON values are YAML.
    let lines: String = variables.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    format!("# Run a playbook against the sandbox: ansible-playbook -e @{} <playbook>\n{lines}", directory.vars())
}

/// The Python of the project's environment, else the first in `PATH`: the reference engine's modules need one.
fn python(root: &Utf8Path) -> Option<Utf8PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = [root.join(".tools/venv/bin")].into_iter().chain(path.split(':').map(Utf8PathBuf::from));
    folders.map(|folder| folder.join("python3")).find(|path| path.is_absolute() && path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_hold_absolute_paths() {
        let directory = Directory::of_project("/nowhere \"quoted\"".into());
        let text = variables(&directory, &Tools::search("/nowhere".into(), None));
        assert!(text.contains("\nansible_connection: \"local\"\nansible_become: false\n"), "{text}");
        assert!(text.contains(r#"source_dir: "/nowhere \"quoted\"""#), "{text}");
    }
}

//! The programs of the control plane, built by `make tools`.

use crate::{Component, Error};
use camino::{Utf8Path, Utf8PathBuf};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// The minor version of Kubernetes that the sandbox is made for; a program found by chance in `PATH` must have it.
pub const KUBERNETES_MINOR: &str = "1.35";

/// Where the programs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    folders: Vec<Utf8PathBuf>,
    path: Vec<Utf8PathBuf>,
}

impl Tools {
    /// Looks in `given` (a test's own), `CLUSTER_TOOLS_DIR`, `KUBEBUILDER_ASSETS`, `.tools/bin` of the project, then
    /// `PATH`.
    pub fn search(root: &Utf8Path, given: Option<&Utf8Path>) -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty()).map(Utf8PathBuf::from);
        let project = root.join(".tools/bin");
        let folders = [
            given.map(Utf8Path::to_owned),
            variable("CLUSTER_TOOLS_DIR"),
            variable("KUBEBUILDER_ASSETS"),
            Some(project),
        ];
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::split_paths(&path).filter_map(|folder| Utf8PathBuf::from_path_buf(folder).ok());
        Self { folders: folders.into_iter().flatten().collect(), path: path.collect() }
    }

    /// The path of a program, `None` if it is nowhere. In `PATH`, programs of Kubernetes count only with the right
    /// minor version.
    pub fn find(&self, name: &str) -> Option<Utf8PathBuf> {
        let ours = self.folders.iter().map(|folder| folder.join(name)).find(|path| is_executable(path));
        ours.or_else(|| {
            let mut found = self.path.iter().map(|folder| folder.join(name)).filter(|path| is_executable(path));
            found.find(|path| !name.starts_with("kube") || has_minor_version(path))
        })
        .map(|path| camino::absolute_utf8(&path).unwrap_or(path))
    }

    /// The programs of all components, or an error that lists every one that is missing.
    pub(crate) fn require(&self) -> Result<Programs, Error> {
        let programs: Vec<_> = Component::ALL
            .into_iter()
            .filter_map(|component| Some((component, component.program()?)))
            .map(|(component, name)| (component, name, self.find(name)))
            .collect();
        let missing: Vec<_> = programs.iter().filter(|it| it.2.is_none()).map(|it| it.1.to_owned()).collect();
        if !missing.is_empty() {
            return Err(Error::MissingTools { missing, searched: self.searched() });
        }
        Ok(Programs(programs.into_iter().filter_map(|(component, _, path)| Some((component, path?))).collect()))
    }

    fn searched(&self) -> Vec<String> {
        let folders = self.folders.iter().map(|folder| format!("`{folder}`"));
        folders.chain([format!("PATH (where Kubernetes {KUBERNETES_MINOR} counts)")]).collect()
    }

    /// The folder to put in front of a shell's `PATH`: that of `kubectl` or `helm`, if they came from ours.
    pub(crate) fn folder(&self) -> Option<Utf8PathBuf> {
        self.folders.iter().find(|folder| is_executable(&folder.join("kubectl"))).cloned()
    }
}

/// Found programs.
#[derive(Debug, Clone)]
pub(crate) struct Programs(Vec<(Component, Utf8PathBuf)>);

impl Programs {
    pub(crate) fn of(&self, component: Component) -> Option<&Utf8Path> {
        self.0.iter().find(|(owner, _)| *owner == component).map(|(_, path)| path.as_path())
    }

    /// Where the API server lies, and with it usually the rest.
    pub(crate) fn folder(&self) -> Utf8PathBuf {
        let path = self.of(Component::KubeApiserver).and_then(Utf8Path::parent);
        path.unwrap_or(Utf8Path::new("")).to_owned()
    }
}

fn is_executable(path: &Utf8Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// `kube-apiserver --version` prints `Kubernetes v1.35.4`; kubectl wants `version --client`.
#[expect(clippy::disallowed_methods, reason = "the sandbox runs its own programs")]
fn has_minor_version(program: &Utf8Path) -> bool {
    let arguments: &[&str] =
        if program.file_name() == Some("kubectl") { &["version", "--client"] } else { &["--version"] };
    Command::new(program)
        .args(arguments)
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(&format!("v{KUBERNETES_MINOR}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(folder: &Utf8Path, name: &str, text: &str) {
        std::fs::create_dir_all(folder).unwrap();
        let path = folder.join(name);
        std::fs::write(&path, format!("#!/bin/sh\necho '{text}'\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn our_folders_come_before_path_and_path_needs_the_version() {
        let guard = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(guard.path()).unwrap();
        let (ours, path) = (root.join("ours"), root.join("path"));
        program(&path, "kube-apiserver", "Kubernetes v1.34.1");
        program(&path, "kube-scheduler", "Kubernetes v1.35.9");
        program(&path, "etcd", "whatever");
        program(&ours, "etcd", "whatever");
        let tools = Tools { folders: vec![ours.clone()], path: vec![path.clone()] };
        assert_eq!(tools.find("etcd"), Some(ours.join("etcd")));
        assert_eq!(tools.find("kube-apiserver"), None);
        assert_eq!(tools.find("kube-scheduler"), Some(path.join("kube-scheduler")));
        let Err(Error::MissingTools { missing, .. }) = tools.require() else { panic!("nothing is missing") };
        assert_eq!(missing, ["kube-apiserver", "kube-controller-manager", "kwok"]);
    }
}

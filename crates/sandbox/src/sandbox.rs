//! The sandbox of a project.

use crate::directory::Directory;
use crate::state::State;
use crate::{Component, Error, Options, Report, Status, Tell, Tools, down, environment, status, up};
use camino::{Utf8Path, Utf8PathBuf};

/// The sandbox of a project, up or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    directory: Directory,
}

impl Sandbox {
    /// The sandbox that lies in `<root>/.cluster/sandbox`. Nothing is read or made yet.
    pub fn at(root: &Utf8Path) -> Self {
        Self { directory: Directory::of_project(root) }
    }

    /// Makes it run with these nodes: starts what does not run, changes nodes that differ, and returns when everything is
    /// ready. When all is well it changes nothing.
    pub async fn up(&self, options: &Options, tell: Tell<'_>) -> Result<Report, Error> {
        self.directory.check_owner()?;
        up::up(&self.directory, options, tell).await
    }

    /// Ends all its processes and deletes all its files. Works on what is left of a damaged sandbox, too.
    pub async fn down(&self, tell: Tell<'_>) -> Result<(), Error> {
        self.directory.check_owner()?;
        down::down(&self.directory, tell).await
    }

    /// How each part is doing, asked now.
    pub async fn status(&self) -> Result<Status, Error> {
        self.directory.check_owner()?;
        status::status(&self.directory).await
    }

    /// Whether all its processes run. Asks none of them, and takes microseconds.
    pub fn is_up(&self) -> bool {
        let state = State::load(&self.directory).ok().flatten();
        state.is_some_and(|state| Component::ALL.into_iter().all(|it| state.running(it).is_some()))
    }

    /// An error when it is another user's, who alone can use it.
    pub fn check_owner(&self) -> Result<(), Error> {
        self.directory.check_owner()
    }

    /// The project whose sandbox this is.
    pub fn root(&self) -> &Utf8Path {
        self.directory.root()
    }

    /// `<root>/.cluster/sandbox`.
    pub fn directory(&self) -> Utf8PathBuf {
        self.directory.path()
    }

    /// The kubeconfig of its administrator, there while it is up.
    pub fn kubeconfig_path(&self) -> Utf8PathBuf {
        self.directory.kubeconfig()
    }

    /// The extra variables (`-e @vars.yml`) with which a playbook runs against the sandbox, there while it is up.
    pub fn vars_path(&self) -> Utf8PathBuf {
        self.directory.vars()
    }

    /// The log file of a component; it need not exist.
    pub fn log_path(&self, component: Component) -> Utf8PathBuf {
        self.directory.log(component)
    }

    /// Where the project's tools are.
    pub fn tools(&self) -> Tools {
        Tools::search(self.directory.root(), None)
    }

    /// The variables for a shell that is to work with the sandbox: `KUBECONFIG`, and `PATH` with the tools in front.
    pub fn env(&self) -> Result<Vec<(String, String)>, Error> {
        if !self.directory.kubeconfig().exists() {
            return Err(Error::Down);
        }
        Ok(environment::shell(&self.directory, &self.tools()))
    }
}

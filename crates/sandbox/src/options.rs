//! What a caller asks of `up`, and what it gets back.

use crate::{Error, NodeSpec};
use camino::Utf8PathBuf;
use serde::Serialize;
use std::time::Duration;

/// How to bring a sandbox up.
#[derive(Debug, Clone)]
pub struct Options {
    /// The nodes to simulate.
    pub nodes: Vec<NodeSpec>,
    /// The executable that runs [`crate::controller::run`] when it is called as `<executable> sandbox controller
    /// --directory <directory>`.
    pub controller: Utf8PathBuf,
    /// A folder to look for the programs in before all others.
    pub tools: Option<Utf8PathBuf>,
    /// How long each component may take to become ready, and how long to wait for another `up` or `down`.
    pub timeout: Duration,
}

impl Options {
    /// Slow machines take three times the usual 6 s; ten times means that something is wrong.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

    /// With the running executable as controller.
    pub fn new(nodes: Vec<NodeSpec>) -> Result<Self, Error> {
        let unknown = |source| Error::File { action: "find", path: "/proc/self/exe".into(), source };
        let executable = std::env::current_exe().map_err(unknown)?;
        let controller = Utf8PathBuf::from_path_buf(executable)
            .map_err(|path| unknown(std::io::Error::other(format!("`{}` is not UTF-8", path.display()))))?;
        Ok(Self { nodes, controller, tools: None, timeout: Self::DEFAULT_TIMEOUT })
    }
}

/// A sandbox that is up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Everything was up already and nothing was changed.
    pub already_up: bool,
    /// How many nodes take pods.
    pub nodes: usize,
    /// The kubeconfig of its administrator.
    pub kubeconfig: Utf8PathBuf,
}

//! What a sandbox remembers between two commands.

use crate::directory::{self, Directory};
use crate::ports::Ports;
use crate::process::Identity;
use crate::{Component, Error};
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Raised when the meaning of a file in the directory changes.
const VERSION: u32 = 1;

/// `state.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    version: u32,
    /// Where the programs came from.
    pub(crate) tools: Utf8PathBuf,
    /// Ports on 127.0.0.1, the same for as long as the sandbox exists.
    pub(crate) ports: Ports,
    /// The processes that were started, dead or alive.
    pub(crate) processes: BTreeMap<Component, Identity>,
}

/// The part that even a state of another version has.
#[derive(Deserialize)]
struct Any {
    #[serde(default)]
    processes: BTreeMap<String, Identity>,
}

impl State {
    pub(crate) fn new(tools: Utf8PathBuf, ports: Ports) -> Self {
        Self { version: VERSION, tools, ports, processes: BTreeMap::new() }
    }

    /// The state of a sandbox, `None` if there is none.
    pub(crate) fn load(directory: &Directory) -> Result<Option<Self>, Error> {
        let path = directory.state();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::file("read", path)(error)),
        };
        let state: Self = serde_json::from_str(&text)
            .map_err(|error| Error::State { path: path.clone(), reason: error.to_string() })?;
        if state.version == VERSION {
            return Ok(Some(state));
        }
        let reason = format!("it has format {}, this program reads format {VERSION}", state.version);
        Err(Error::State { path, reason })
    }

    /// The recorded processes, also of a state that can't be used otherwise.
    pub(crate) fn recorded_processes(directory: &Directory) -> Vec<(String, Identity)> {
        let text = std::fs::read_to_string(directory.state()).unwrap_or_default();
        let any: Option<Any> = serde_json::from_str(&text).ok();
        any.into_iter().flat_map(|any| any.processes).collect()
    }

    pub(crate) fn save(&self, directory: &Directory) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Error::State { path: directory.state(), reason: error.to_string() })?;
        directory::write(&directory.state(), &text).map(drop)
    }

    /// The process of a component, if it runs.
    pub(crate) fn running(&self, component: Component) -> Option<&Identity> {
        self.processes.get(&component).filter(|process| process.is_alive())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (tempfile::TempDir, Directory) {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::of_project(folder.path().try_into().unwrap());
        directory.create().unwrap();
        (folder, directory)
    }

    #[test]
    fn a_state_is_read_back() {
        let (_guard, directory) = scratch();
        assert_eq!(State::load(&directory).unwrap(), None);
        let mut state = State::new("/tools".into(), Ports::starting_at(20000));
        state.processes.insert(Component::Kwok, Identity::of_this_process());
        state.save(&directory).unwrap();
        assert_eq!(State::load(&directory).unwrap(), Some(state));
    }

    #[test]
    fn a_damaged_state_is_an_error_with_a_way_out() {
        let (_guard, directory) = scratch();
        std::fs::write(directory.state(), "{").unwrap();
        let error = State::load(&directory).unwrap_err();
        assert!(error.to_string().contains("can not be used"), "{error}");
        assert!(diagnostic::Diagnose::hint(&error).unwrap().contains("sandbox down"));
        assert_eq!(State::recorded_processes(&directory).len(), 0);
    }

    #[test]
    fn processes_of_another_format_are_still_found() {
        let (_guard, directory) = scratch();
        let text = r#"{"version": 99, "processes": {"etcd": {"pid": 7, "started": "x"}}, "new": 1}"#;
        std::fs::write(directory.state(), text).unwrap();
        assert!(State::load(&directory).is_err());
        assert_eq!(State::recorded_processes(&directory)[0].0, "etcd");
    }
}

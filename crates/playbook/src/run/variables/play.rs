//! What all hosts of a play share.

use crate::load::Level;
use indexmap::IndexMap;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, RwLock};
use template::Value;
use yaml::Node;

/// Variables of one file.
pub(crate) type File = IndexMap<String, Arc<Node>>;

/// The variables of a play, and which hosts it runs on.
pub(crate) struct PlayVariables {
    /// The play's keywords and `vars`.
    pub(crate) level: Arc<Level>,
    /// `ansible_play_name`
    pub(crate) name: String,
    /// `playbook_dir`
    pub(crate) playbook_directory: String,
    /// Every host of the play.
    pub(crate) all: Vec<String>,
    /// The hosts of this batch (`serial`).
    pub(crate) batch: Vec<String>,
    /// Hosts that have failed or could not be reached.
    pub(crate) removed: RwLock<HashSet<String>>,
    /// `vars_files`, by host when their paths depend on it, else under the empty name.
    pub(crate) files: HashMap<String, Arc<Vec<File>>>,
}

impl PlayVariables {
    /// `ansible_play_hosts` or `ansible_play_batch`: those that are left.
    pub(crate) fn remaining(&self, hosts: &[String]) -> Value {
        let removed = self.removed.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        Value::list(
            hosts.iter().filter(|host| !removed.contains(*host)).map(|host| Value::from(host.as_str())).collect(),
        )
    }

    pub(crate) fn remove(&self, host: &str) {
        self.removed.write().unwrap_or_else(std::sync::PoisonError::into_inner).insert(host.to_owned());
    }

    /// A variable of `vars_files`; later files come before earlier ones.
    pub(crate) fn in_files(&self, host: Option<&str>, name: &str) -> Option<&Arc<Node>> {
        let files = host.and_then(|host| self.files.get(host)).or_else(|| self.files.get(""))?;
        files.iter().rev().find_map(|file| file.get(name))
    }
}

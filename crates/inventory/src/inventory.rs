//! The inventory: what was read, and the questions about it.

use crate::graph::{ALL, Graph};
use crate::load::{self, Loaded};
use crate::vars_files::{Decrypt, VarsFiles};
use crate::{Error, HostName};
use camino::Utf8PathBuf;
use diagnostic::{Mistake, Position, closest};
use indexmap::IndexMap;
use std::sync::{Arc, OnceLock};
use yaml::Node;

/// Hosts, groups and variables from one or more sources.
#[derive(Debug)]
pub struct Inventory {
    pub(crate) graph: Graph,
    pub(crate) directories: Vec<Utf8PathBuf>,
    pub(crate) vars_files: VarsFiles,
    pub(crate) groups_node: OnceLock<Node>,
    warnings: Vec<Mistake>,
}

impl Inventory {
    /// Reads sources in order, each a file, a directory of files, or a list of hosts with a comma (`pi-1,pi-2`, `pi-1,`).
    /// `group_vars` and `host_vars` beside them are read when a host's variables are asked for.
    ///
    /// # Errors
    /// A source is not there or of a kind that is not supported, or the files say something wrong: then all of it.
    pub fn load(sources: &[impl AsRef<str>]) -> Result<Self, Error> {
        Self::load_with(sources, None)
    }

    /// Like [`Inventory::load`]; `decrypt` is used for files of `group_vars` and `host_vars` that are encrypted as a whole. All
    /// values in them are secret ([`Node::is_secret`]).
    ///
    /// # Errors
    /// As [`Inventory::load`]. Encrypted files are read when a host's variables are asked for, and may fail then.
    pub fn load_with(sources: &[impl AsRef<str>], decrypt: Option<Arc<Decrypt>>) -> Result<Self, Error> {
        let sources: Vec<&str> = sources.iter().map(AsRef::as_ref).collect();
        let Loaded { graph, warnings, directories } = load::load(&sources)?;
        Ok(Self { graph, directories, warnings, vars_files: VarsFiles::new(decrypt), groups_node: OnceLock::new() })
    }

    /// What is odd about the files, but no mistake.
    pub fn warnings(&self) -> &[Mistake] {
        &self.warnings
    }

    /// All hosts, in the order in which they were first named.
    pub fn hosts(&self) -> impl Iterator<Item = &HostName> {
        self.graph.hosts.keys()
    }

    /// All groups with their hosts, those of child groups included; `all` and `ungrouped` come first.
    pub fn groups(&self) -> IndexMap<String, Vec<HostName>> {
        let hosts = |index| self.graph.hosts_of(index).into_iter().collect();
        self.graph.groups.keys().enumerate().map(|(index, name)| (name.clone(), hosts(index))).collect()
    }

    /// The hosts of a group, those of child groups included.
    pub fn group(&self, name: &str) -> Option<Vec<HostName>> {
        let index = self.graph.groups.get_index_of(name)?;
        Some(self.graph.hosts_of(index).into_iter().collect())
    }

    /// The name of a host as the inventory knows it.
    pub fn host(&self, name: &str) -> Option<&HostName> {
        self.graph.hosts.get_key_value(name).map(|(name, _)| name)
    }

    /// Where a host is first named.
    pub fn host_position(&self, name: &str) -> Option<&Position> {
        self.graph.hosts.get(name).map(|host| &host.position)
    }

    /// The names of the groups that a host is in, `all` not among them, sorted (the magic variable `group_names`).
    pub fn groups_of(&self, host: &str) -> Vec<&str> {
        let indices = self.graph.hosts.get(host).map(|host| host.groups.as_slice()).unwrap_or_default();
        let mut names: Vec<_> =
            indices.iter().filter(|index| **index != ALL).map(|index| self.graph.group_name(*index)).collect();
        names.sort_unstable();
        names
    }

    /// The error for a name that is neither host nor group, with the nearest that is.
    pub fn unknown(&self, name: &str) -> Error {
        self.not_found("host or group", name, self.host_names().chain(self.group_names()))
    }

    /// The error for a name that is no host; one of a group says so.
    pub(crate) fn unknown_host(&self, name: &str) -> Error {
        if self.graph.groups.contains_key(name) {
            let hint = format!("`{name}` is a group: run `cluster inventory graph {name}`");
            return Error::Unknown { kind: "host", name: name.to_owned(), hint };
        }
        self.not_found("host", name, self.host_names())
    }

    /// The error for a name that is no group; one of a host says so.
    pub(crate) fn unknown_group(&self, name: &str) -> Error {
        if self.graph.hosts.contains_key(name) {
            let hint = format!("`{name}` is a host: run `cluster inventory host {name}`");
            return Error::Unknown { kind: "group", name: name.to_owned(), hint };
        }
        self.not_found("group", name, self.group_names())
    }

    fn host_names(&self) -> impl Iterator<Item = &str> {
        self.graph.hosts.keys().map(HostName::as_str)
    }

    fn group_names(&self) -> impl Iterator<Item = &str> {
        self.graph.groups.keys().map(String::as_str)
    }

    fn not_found<'a>(&self, kind: &'static str, name: &str, known: impl Iterator<Item = &'a str>) -> Error {
        let hint = match closest(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.graph.hosts.is_empty() => "the inventory holds no host; name one with `-i`".to_owned(),
            None => "run `cluster inventory graph` to see groups and hosts".to_owned(),
        };
        Error::Unknown { kind, name: name.to_owned(), hint }
    }
}

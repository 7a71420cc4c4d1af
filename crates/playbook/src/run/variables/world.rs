//! What a whole run shares: hosts, groups, extra variables and the variables that never change.

use super::Host;
use super::host::Table;
use crate::run::Options;
use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use inventory::{HostName, Inventory};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use template::{Key, Value};
use yaml::Node;

/// The run's own variables.
pub(crate) struct World {
    inventory: Arc<Inventory>,
    /// The folder of the play that runs, whose `group_vars` and `host_vars` count.
    directory: RwLock<Utf8PathBuf>,
    /// Hosts of the inventory, in its order.
    hosts: IndexMap<String, Arc<Host>>,
    /// Hosts that tasks delegate to without being in the inventory, and the implicit `localhost`.
    others: RwLock<HashMap<String, Arc<Host>>>,
    /// `groups`
    pub(crate) groups: Value,
    /// `-e`
    pub(crate) extra: IndexMap<String, Arc<Node>>,
    /// `ansible_version`, `ansible_check_mode`, …
    pub(crate) fixed: HashMap<&'static str, Value>,
}

/// The names under which Ansible gives a `localhost` that is not in the inventory (`C.LOCALHOST`).
pub(crate) const LOCALHOST: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

impl World {
    pub(crate) fn new(inventory: &Arc<Inventory>, options: &Options, directory: &Utf8Path) -> Self {
        let names = |names: &[&str]| Value::list(names.iter().map(|name| Value::from(*name)).collect());
        let host = |name: &HostName| {
            let groups = names(&inventory.groups_of(name.as_str()));
            (name.as_str().to_owned(), Arc::new(Host::new(name.as_str(), groups)))
        };
        let groups = inventory.groups().into_iter().map(|(group, hosts)| {
            let hosts: Vec<_> = hosts.iter().map(HostName::as_str).collect();
            (Key::from(group), names(&hosts))
        });
        Self {
            hosts: inventory.hosts().map(host).collect(),
            others: RwLock::new(HashMap::new()),
            groups: Value::map(groups.collect()),
            extra: options.extra_vars.iter().map(|(name, node)| (name.clone(), Arc::new(node.clone()))).collect(),
            fixed: fixed(options),
            directory: RwLock::new(directory.to_owned()),
            inventory: Arc::clone(inventory),
        }
    }

    /// The inventory itself.
    pub(crate) fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// From now on plays of this folder run (`import_playbook` may lead to another one).
    pub(crate) fn enter(&self, directory: &Utf8Path) {
        let mut current = self.directory.write().unwrap_or_else(PoisonError::into_inner);
        if *current != directory {
            directory.clone_into(&mut current);
            self.hosts.values().for_each(|host| *host.table.write().unwrap_or_else(PoisonError::into_inner) = None);
        }
    }

    /// What the inventory says of a host. One that is not in it has no variables.
    pub(crate) fn table(&self, host: &Host) -> Result<Arc<Table>, inventory::Error> {
        if let Some(table) = &*host.table.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(Arc::clone(table));
        }
        let directory = self.directory.read().unwrap_or_else(PoisonError::into_inner).clone();
        let variables = match self.inventory.variables(&host.name, Some(&directory)) {
            Err(inventory::Error::Unknown { .. }) => inventory::Variables::new(),
            variables => variables?,
        };
        // Magic variables have their own place.
        let own = variables.into_iter().filter(|(name, _)| !MAGIC_OF_INVENTORY.contains(&name.as_str()));
        let table = Arc::new(own.map(|(name, node)| (name, Arc::new(node))).collect::<Table>());
        *host.table.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&table));
        Ok(table)
    }

    /// Names of the hosts of the inventory, in its order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.hosts.keys().map(String::as_str)
    }

    /// A host of the inventory, or one that was delegated to before.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Host>> {
        let others = || self.others.read().unwrap_or_else(PoisonError::into_inner);
        self.hosts.get(name).cloned().or_else(|| others().get(name).cloned())
    }

    /// The host of that name, which need not be in the inventory: `delegate_to` takes any name.
    pub(crate) fn host(&self, name: &str) -> Arc<Host> {
        self.find(name).unwrap_or_else(|| {
            let host = Arc::new(Host::new(name, Value::list(Vec::new())));
            let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(others.entry(name.to_owned()).or_insert(host))
        })
    }
}

/// What [`Inventory::variables`] gives although it is no variable that anybody wrote.
const MAGIC_OF_INVENTORY: [&str; 4] = ["groups", "group_names", "inventory_hostname", "inventory_hostname_short"];

fn fixed(options: &Options) -> HashMap<&'static str, Value> {
    let words = |words: &[String]| Value::list(words.iter().map(|word| Value::from(word.as_str())).collect());
    let tags = if options.tags.is_empty() { vec!["all".to_owned()] } else { options.tags.clone() };
    let version = [
        ("full", Value::from(REFERENCE_VERSION)),
        ("string", Value::from(REFERENCE_VERSION)),
        ("major", Value::Int(2)),
        ("minor", Value::Int(19)),
        ("revision", Value::Int(5)),
    ];
    HashMap::from([
        ("omit", Value::Omit),
        ("ansible_check_mode", Value::Bool(options.check)),
        ("ansible_diff_mode", Value::Bool(options.diff)),
        ("ansible_forks", Value::from(options.forks)),
        ("ansible_verbosity", Value::Int(options.verbosity.into())),
        ("ansible_run_tags", words(&tags)),
        ("ansible_skip_tags", words(&options.skip_tags)),
        ("ansible_limit", options.limit.as_deref().map_or(Value::None, Value::from)),
        ("ansible_version", Value::record(version)),
        ("ansible_config_file", Value::None),
        ("ansible_role_names", Value::list(Vec::new())),
        ("ansible_play_role_names", Value::list(Vec::new())),
        ("ansible_dependent_role_names", Value::list(Vec::new())),
        ("role_names", Value::list(Vec::new())),
    ])
}

/// The version of ansible-core whose rules this engine follows, also for playbooks that ask.
pub const REFERENCE_VERSION: &str = "2.19.5";

//! One host: what the inventory says of it, and what the run has learned.

use indexmap::IndexMap;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};
use template::{Map, Value, Variable};
use yaml::Node;

/// A host of the inventory, or one that a task delegates to.
pub(crate) struct Host {
    pub(crate) name: String,
    /// Inventory, `group_vars` and `host_vars`, merged by the inventory; nothing before somebody asks.
    pub(super) table: RwLock<Option<Arc<Table>>>,
    /// `group_names`
    pub(crate) groups: Value,
    /// Whether a play has asked for facts, so that they are gathered when a template wants one.
    gathers: AtomicBool,
    memory: RwLock<Memory>,
}

/// A host's variables as the inventory has them.
pub(crate) type Table = IndexMap<String, Arc<Node>>;

/// What a run learns about a host, weakest first.
#[derive(Default)]
pub(crate) struct Memory {
    /// Facts, by their names without `ansible_`; nothing before they are gathered.
    pub(crate) facts: Option<Arc<Map>>,
    /// Facts as variables of their own: `ansible_hostname`, …
    pub(crate) top_level: HashMap<String, Value>,
    /// `include_vars`
    pub(crate) included: HashMap<String, Variable>,
    /// `set_fact` and `register`
    pub(crate) set: HashMap<String, Variable>,
}

impl Host {
    pub(crate) fn new(name: &str, groups: Value) -> Self {
        Self {
            name: name.to_owned(),
            table: RwLock::new(None),
            groups,
            gathers: AtomicBool::new(false),
            memory: RwLock::new(Memory::default()),
        }
    }

    pub(crate) fn memory(&self) -> RwLockReadGuard<'_, Memory> {
        self.memory.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn memory_mut(&self) -> RwLockWriteGuard<'_, Memory> {
        self.memory.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// From now on facts are gathered as soon as a template wants one, or no longer.
    pub(crate) fn set_gathers(&self, gathers: bool) {
        self.gathers.store(gathers, Ordering::Relaxed);
    }

    /// Whether facts are to be had but were not gathered yet.
    pub(crate) fn lacks_facts(&self) -> bool {
        self.gathers.load(Ordering::Relaxed) && self.memory().facts.is_none()
    }
}

impl Memory {
    /// Adds facts as modules return them: with `ansible_` or without.
    pub(crate) fn add_facts(&mut self, facts: &serde_json::Map<String, serde_json::Value>) {
        let mut known = self.facts.take().map_or_else(Map::new, Arc::unwrap_or_clone);
        for (name, value) in facts {
            let value = Value::from(value);
            known.insert(name.strip_prefix("ansible_").unwrap_or(name).into(), value.clone());
            self.top_level.insert(name.clone(), value);
        }
        self.facts = Some(Arc::new(known));
    }

    /// Forgets what was gathered (`meta: clear_facts`).
    pub(crate) fn clear_facts(&mut self) {
        self.facts = None;
        self.top_level.clear();
    }
}

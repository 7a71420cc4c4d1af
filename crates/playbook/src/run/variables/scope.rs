//! The variables of a task on a host.

use super::hostvars::HostVars;
use super::{Host, PlayVariables, World};
use crate::load::{ActionKind, Level, LevelKind, Task};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use template::{Value, Variable};

/// Variables by Ansible's precedence (`vars/manager.py`, 2.19), strongest first: loop variables and the running task's
/// result; magic variables; extra variables; variables of includes; `set_fact` and registered results; `include_vars`;
/// variables of the task and its blocks; `vars_files`; variables of the play; facts; the inventory.
#[derive(Clone)]
pub(crate) struct Scope {
    pub(crate) world: Arc<World>,
    pub(crate) host: Option<Arc<Host>>,
    pub(crate) play: Option<Arc<PlayVariables>>,
    pub(crate) level: Option<Arc<Level>>,
    /// Whether the level is an include, whose own variables then count as an include's.
    pub(crate) is_include: bool,
    pub(crate) locals: Arc<Locals>,
    pub(crate) wanted: Arc<Wanted>,
    /// The host that the task runs for, when it is delegated: `inventory_hostname` stays its name.
    pub(crate) inventory_hostname: Option<Arc<str>>,
}

/// The variables of one execution of a task.
pub(crate) type Locals = HashMap<String, Variable>;

/// Hosts whose facts a template asked for although they are not gathered yet.
#[derive(Default)]
pub(crate) struct Wanted {
    any: AtomicBool,
    hosts: Mutex<Vec<Arc<Host>>>,
}

impl Wanted {
    fn add(&self, host: &Arc<Host>) {
        let mut hosts = self.hosts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !hosts.iter().any(|known| known.name == host.name) {
            hosts.push(Arc::clone(host));
        }
        self.any.store(true, Ordering::Release);
    }

    /// The hosts, once.
    pub(crate) fn take(&self) -> Vec<Arc<Host>> {
        if !self.any.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        std::mem::take(&mut *self.hosts.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl Scope {
    /// The variables of a play, without a host.
    pub(crate) fn of_play(world: &Arc<World>, play: &Arc<PlayVariables>) -> Self {
        Self { play: Some(Arc::clone(play)), ..Self::of_world(world) }
    }

    /// Extra and magic variables alone.
    pub(crate) fn of_world(world: &Arc<World>) -> Self {
        Self {
            world: Arc::clone(world),
            host: None,
            play: None,
            level: None,
            is_include: false,
            locals: Arc::new(Locals::new()),
            wanted: Arc::new(Wanted::default()),
            inventory_hostname: None,
        }
    }

    /// The variables of a task on a host.
    pub(crate) fn of_task(world: &Arc<World>, play: &Arc<PlayVariables>, host: &Arc<Host>, task: &Task) -> Self {
        Self {
            host: Some(Arc::clone(host)),
            level: Some(Arc::clone(&task.level)),
            is_include: matches!(task.action.kind, ActionKind::IncludeTasks),
            ..Self::of_play(world, play)
        }
    }

    /// The same with other variables of the execution.
    pub(crate) fn with_locals(&self, locals: Locals) -> Self {
        Self { locals: Arc::new(locals), ..self.clone() }
    }

    /// The same for the host that the task is delegated to: only its connection variables are looked up there.
    pub(crate) fn delegated(&self, host: &Arc<Host>) -> Self {
        let original = self.host.as_ref().map(|host| Arc::from(host.name.as_str()));
        Self { host: Some(Arc::clone(host)), inventory_hostname: original, ..self.clone() }
    }

    /// For the template engine.
    pub(crate) fn shared(&self) -> Arc<dyn template::Scope> {
        Arc::new(self.clone())
    }

    fn magic(&self, name: &str) -> Option<Variable> {
        if let Some(value) = self.world.fixed.get(name) {
            return Some(value.clone().into());
        }
        let play = self.play.as_ref();
        let host = self.host.as_ref();
        let value = match name {
            "groups" => self.world.groups.clone(),
            "group_names" => host?.groups.clone(),
            "inventory_hostname" => match &self.inventory_hostname {
                Some(original) => Value::from(&**original),
                None => Value::from(host?.name.as_str()),
            },
            "inventory_hostname_short" => Value::from(host?.name.split('.').next().unwrap_or_default()),
            "hostvars" => return Some(Variable::Scope(Arc::new(HostVars::of(self)))),
            "vars" => return Some(Variable::Scope(self.shared())),
            "playbook_dir" => Value::from(play?.playbook_directory.as_str()),
            "ansible_play_name" => Value::from(play?.name.as_str()),
            "ansible_play_hosts_all" => Value::list(play?.all.iter().map(|host| Value::from(host.as_str())).collect()),
            "ansible_play_hosts" => play?.remaining(&play?.all),
            "ansible_play_batch" | "play_hosts" => play?.remaining(&play?.batch),
            _ => return None,
        };
        Some(value.into())
    }

    /// Levels from the task outwards, without the play.
    fn levels(&self) -> impl Iterator<Item = &Level> {
        self.level.as_deref().into_iter().flat_map(Level::chain).filter(|level| level.kind != LevelKind::Play)
    }

    fn in_includes(&self, name: &str) -> Option<Variable> {
        let own = self.level.as_deref().filter(|_| self.is_include);
        let files = self.levels().filter(|level| matches!(level.kind, LevelKind::Include(_)));
        own.into_iter().chain(files).find_map(|level| from_level(level, name))
    }

    fn in_memory(&self, name: &str) -> Option<Variable> {
        let memory = self.host.as_ref()?.memory();
        memory.set.get(name).or_else(|| memory.included.get(name)).cloned()
    }

    fn in_play(&self, name: &str) -> Option<Variable> {
        let play = self.play.as_ref()?;
        let host = self.host.as_ref().map(|host| host.name.as_str());
        let node = play.in_files(host, name).or_else(|| play.level.vars.get(name))?;
        Some(Variable::Authored(Arc::clone(node)))
    }

    /// A fact, or a variable of the inventory. A fact that is not there yet is noted as wanted.
    fn in_host(&self, name: &str) -> Option<Variable> {
        let host = self.host.as_ref()?;
        if name == "ansible_facts" {
            if host.lacks_facts() {
                self.wanted.add(host);
            }
            return Some(Value::Map(host.memory().facts.clone().unwrap_or_default()).into());
        }
        if let Some(fact) = host.memory().top_level.get(name) {
            return Some(fact.clone().into());
        }
        if let Some(node) = self.world.table(host).ok().and_then(|table| table.get(name).cloned()) {
            return Some(Variable::Authored(node));
        }
        if super::super::facts::is_fact(name) && host.lacks_facts() {
            self.wanted.add(host);
        }
        None
    }
}

fn from_level(level: &Level, name: &str) -> Option<Variable> {
    let value = level.values.get(name).map(|value| Variable::Data(Value::from(value)));
    value.or_else(|| level.vars.get(name).map(|node| Variable::Authored(Arc::clone(node))))
}

impl template::Scope for Scope {
    fn get(&self, name: &str) -> Option<Variable> {
        self.locals
            .get(name)
            .cloned()
            .or_else(|| self.magic(name))
            .or_else(|| self.world.extra.get(name).map(|node| Variable::Authored(Arc::clone(node))))
            .or_else(|| self.in_includes(name))
            .or_else(|| self.in_memory(name))
            .or_else(|| self.levels().find_map(|level| from_level(level, name)))
            .or_else(|| self.in_play(name))
            .or_else(|| self.in_host(name))
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = MAGIC.iter().map(|name| (*name).to_owned()).collect();
        names.extend(self.world.fixed.keys().map(|name| (*name).to_owned()));
        names.extend(self.locals.keys().cloned());
        names.extend(self.world.extra.keys().cloned());
        for level in self.levels() {
            names.extend(level.vars.keys().chain(level.values.keys()).cloned());
        }
        if let Some(play) = &self.play {
            names.extend(play.level.vars.keys().cloned());
            names.extend(play.files.values().flat_map(|files| files.iter()).flat_map(|file| file.keys()).cloned());
        }
        if let Some(host) = &self.host {
            let memory = host.memory();
            names.extend(memory.set.keys().chain(memory.included.keys()).chain(memory.top_level.keys()).cloned());
            names.extend(self.world.table(host).iter().flat_map(|table| table.keys()).cloned());
        }
        names.sort();
        names.dedup();
        names
    }
}

/// Names that [`Scope::magic`] answers besides the fixed ones.
const MAGIC: [&str; 11] = [
    "groups",
    "group_names",
    "inventory_hostname",
    "inventory_hostname_short",
    "hostvars",
    "playbook_dir",
    "ansible_play_name",
    "ansible_play_hosts_all",
    "ansible_play_hosts",
    "ansible_play_batch",
    "ansible_facts",
];

//! A playbook as a tree: what was written, sorted by meaning, each part with its place. Nothing is rendered here.

use super::{Action, Keywords, Problems};
use camino::Utf8PathBuf;
use diagnostic::{Mistake, Position};
use indexmap::IndexMap;
use std::sync::Arc;
use yaml::Node;

/// A playbook with everything that it imports.
#[derive(Debug)]
pub struct Playbook {
    /// The file, as the user named it.
    pub path: Utf8PathBuf,
    /// Plays in order, those of imported playbooks in the place of the import.
    pub plays: Vec<Arc<Play>>,
    /// What it was read with, for the files that it includes.
    pub(crate) sources: super::Sources,
    /// What is odd but no mistake: duplicate keys.
    pub warnings: Vec<Mistake>,
    /// What was found wrong while reading; [`crate::check`] adds to it.
    pub(crate) problems: Problems,
}

/// One play.
#[derive(Debug)]
pub struct Play {
    /// `name`, which may be a template.
    pub name: Option<Node>,
    /// Where the play begins.
    pub position: Position,
    /// `hosts`: a pattern or a list of them.
    pub hosts: Node,
    /// What tasks inherit.
    pub level: Arc<Level>,
    /// `gather_facts`; yes when not given.
    pub gather_facts: Option<Node>,
    /// `vars_files`: each a path, or a list of paths of which the first that exists is taken.
    pub vars_files: Vec<Node>,
    /// The sections in the order in which they run; handlers are flushed after each.
    pub sections: [Vec<Item>; 3],
    /// Handlers in the order in which they run.
    pub handlers: Vec<Arc<Task>>,
    /// `force_handlers`
    pub force_handlers: Option<Node>,
    /// `max_fail_percentage`
    pub max_fail_percentage: Option<Node>,
    /// `serial`
    pub serial: Option<Node>,
    /// `order`
    pub order: Option<Node>,
    /// The folder of the playbook that was started: `playbook_dir`.
    pub playbook_directory: Utf8PathBuf,
    /// The folder of the file that holds the play, where its relative paths begin.
    pub directory: Utf8PathBuf,
}

/// A task or a block, in a list of tasks.
#[derive(Debug, Clone)]
pub enum Item {
    /// One task.
    Task(Arc<Task>),
    /// Several with common keywords, and what to do when one fails. The tasks of an `import_tasks` are a block too.
    Block(Arc<Block>),
}

/// `block`, `rescue`, `always`.
#[derive(Debug)]
pub struct Block {
    /// Where it begins.
    pub position: Position,
    /// Its keywords.
    pub level: Arc<Level>,
    /// `block`
    pub tasks: Vec<Item>,
    /// `rescue`
    pub rescue: Vec<Item>,
    /// `always`
    pub always: Vec<Item>,
}

/// A task or handler.
#[derive(Debug)]
pub struct Task {
    /// Where it begins.
    pub position: Position,
    /// What it does.
    pub action: Action,
    /// Its keywords, and those that it inherits.
    pub level: Arc<Level>,
    /// Its loop.
    pub repeat: Option<Loop>,
    /// `register`
    pub register: Option<String>,
    /// `until`
    pub until: Vec<Node>,
    /// `retries`
    pub retries: Option<Node>,
    /// `delay`, in seconds, 5 when not given.
    pub delay: Option<Node>,
    /// `changed_when`
    pub changed_when: Vec<Node>,
    /// `failed_when`
    pub failed_when: Vec<Node>,
    /// `listen`, of a handler.
    pub listen: Vec<Node>,
    /// Whether it is a handler.
    pub is_handler: bool,
}

/// `loop`, or one of the `with_…` keywords.
#[derive(Debug, Clone)]
pub struct Loop {
    /// The lookup of `with_<lookup>`; nothing for `loop`.
    pub lookup: Option<String>,
    /// What to loop over.
    pub items: Node,
    /// `loop_control`
    pub control: LoopControl,
}

/// `loop_control`
#[derive(Debug, Clone, Default)]
pub struct LoopControl {
    /// `loop_var`, `item` when not given.
    pub loop_var: Option<Node>,
    /// `index_var`
    pub index_var: Option<Node>,
    /// `label`
    pub label: Option<Node>,
    /// `pause`, in seconds.
    pub pause: Option<Node>,
    /// `extended`
    pub extended: Option<Node>,
    /// `extended_allitems`
    pub extended_allitems: Option<Node>,
    /// `break_when`
    pub break_when: Vec<Node>,
}

/// One step of inheritance: a play, a block, an import, an include or a task, with the keywords written there. A keyword
/// is looked for from the task outwards.
#[derive(Debug)]
pub struct Level {
    /// What stands here.
    pub kind: LevelKind,
    /// What this is part of.
    pub parent: Option<Arc<Level>>,
    /// The keywords written here.
    pub keywords: Keywords,
    /// `vars`
    pub vars: IndexMap<String, Arc<Node>>,
    /// Values that an include brings along: the loop variables of `include_tasks`.
    pub values: serde_json::Map<String, serde_json::Value>,
}

/// What a [`Level`] stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LevelKind {
    /// A play.
    Play,
    /// A block.
    Block,
    /// `import_tasks`: the folder of the file, where relative paths are looked for first.
    Import(Utf8PathBuf),
    /// `include_tasks`, likewise. It passes on only its variables, which are stronger than others, as Ansible has it.
    Include(Utf8PathBuf),
    /// A task.
    Task,
}

impl LevelKind {
    /// The folder of an imported or included file.
    pub fn folder(&self) -> Option<&Utf8PathBuf> {
        match self {
            Self::Import(folder) | Self::Include(folder) => Some(folder),
            Self::Play | Self::Block | Self::Task => None,
        }
    }
}

impl Level {
    /// The nearest value of a keyword, from here outwards.
    pub fn find<'a, T: ?Sized>(&'a self, keyword: impl Fn(&'a Keywords) -> Option<&'a T>) -> Option<&'a T> {
        self.chain().find_map(|level| keyword(&level.keywords))
    }

    /// `when` of this level and all that it is part of, outer ones first.
    pub(crate) fn conditions(&self) -> Vec<&Node> {
        let levels: Vec<_> = self.chain().filter(|level| !level.keywords.when.is_empty()).collect();
        levels.into_iter().rev().flat_map(|level| &level.keywords.when).collect()
    }

    /// This level and all that it is part of, innermost first.
    pub fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |level| level.parent.as_deref())
    }
}

impl Task {
    /// The task's `name`, as written.
    pub fn name(&self) -> Option<&Node> {
        self.level.keywords.name.as_ref()
    }

    /// The name to show while nothing is rendered: `name`, else the module as written.
    pub fn title(&self) -> &str {
        self.name().and_then(Node::as_str).filter(|name| !name.is_empty()).unwrap_or(&self.action.name)
    }
}

impl Play {
    /// The name to show while nothing is rendered: `name`, else the host pattern.
    pub fn title(&self) -> String {
        match self.name.as_ref().and_then(Node::as_str) {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => super::fields::words(&self.hosts).join(","),
        }
    }

    /// All tasks of the sections, blocks opened, in order.
    pub fn tasks(&self) -> Vec<&Arc<Task>> {
        let mut tasks = Vec::new();
        for section in &self.sections {
            flatten(section, &mut tasks);
        }
        tasks
    }
}

/// All tasks in a list, blocks opened: tasks, then rescue, then always.
pub(crate) fn flatten<'a>(items: &'a [Item], tasks: &mut Vec<&'a Arc<Task>>) {
    for item in items {
        match item {
            Item::Task(task) => tasks.push(task),
            Item::Block(block) => {
                for part in [&block.tasks, &block.rescue, &block.always] {
                    flatten(part, tasks);
                }
            }
        }
    }
}

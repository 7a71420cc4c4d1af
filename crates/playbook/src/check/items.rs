//! The check of plays, blocks and tasks.

use super::{notify, parameters, templates};
use crate::load::{ActionKind, Item, Level, Place, Play, Problems, Reader, Sources, Task, sources};
use camino::Utf8PathBuf;
use std::collections::HashSet;
use std::sync::Arc;
use yaml::Node;

/// Goes through a play and notes what is wrong.
pub(crate) struct Checker<'p> {
    pub(super) problems: &'p mut Problems,
    /// What included files are read with; nothing when they are not to be followed.
    pub(super) sources: Option<Sources>,
    /// Levels that were checked already: many tasks share theirs.
    pub(super) seen: HashSet<*const Level>,
    /// Names by which handlers can be notified, and whether that is all of them.
    pub(super) handlers: Option<notify::Names>,
    /// Where included files of the play are looked for.
    directories: Vec<Utf8PathBuf>,
    /// Files that are being followed.
    open_files: Vec<Utf8PathBuf>,
}

/// Checks tasks that were read while a run is under way.
pub(crate) fn items(items: &[Item], problems: &mut Problems) {
    Checker::new(problems).items(items);
}

impl<'p> Checker<'p> {
    pub(super) fn new(problems: &'p mut Problems) -> Self {
        let seen = HashSet::new();
        Self { problems, sources: None, seen, handlers: None, directories: Vec::new(), open_files: Vec::new() }
    }

    pub(super) fn play(&mut self, play: &Play) {
        self.directories = vec![play.directory.clone()];
        self.handlers = Some(notify::Names::of(&play.handlers));
        self.level(&play.level);
        let own = [&play.force_handlers, &play.gather_facts, &play.max_fail_percentage, &play.serial, &play.order];
        for node in own.into_iter().flatten().chain([&play.hosts]).chain(&play.vars_files) {
            templates::node(node, self.problems);
        }
        for section in &play.sections {
            self.items(section);
        }
        for handler in &play.handlers {
            self.task(handler);
        }
    }

    fn items(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Task(task) => self.task(task),
                Item::Block(block) => {
                    self.level(&block.level);
                    [&block.tasks, &block.rescue, &block.always].into_iter().for_each(|items| self.items(items));
                }
            }
        }
    }

    fn task(&mut self, task: &Arc<Task>) {
        self.level(&task.level);
        for node in task.until.iter().chain(&task.changed_when).chain(&task.failed_when) {
            templates::condition(node, self.problems);
        }
        if let Some(repeat) = &task.repeat {
            let control = &repeat.control;
            let nodes = [&control.loop_var, &control.index_var, &control.label, &control.pause, &control.extended];
            nodes.into_iter().flatten().chain([&repeat.items]).for_each(|node| templates::node(node, self.problems));
            control.break_when.iter().for_each(|node| templates::condition(node, self.problems));
        }
        for node in [&task.retries, &task.delay].into_iter().flatten() {
            templates::node(node, self.problems);
        }
        parameters::check(task, self.problems);
        templates::arguments(task, self.problems);
        if matches!(task.action.kind, ActionKind::IncludeTasks) {
            self.follow(task);
        }
    }

    /// Checks the tasks of an include whose file is plain to see.
    fn follow(&mut self, task: &Arc<Task>) {
        let Some(sources) = self.sources else { return };
        let arguments = &task.action.arguments;
        let file = arguments.free_form.as_ref().or_else(|| arguments.get("file"));
        let Some(name) = file.and_then(Node::as_str).filter(|name| !crate::load::fields::is_template(name)) else {
            return;
        };
        let kind = if task.is_handler { "handlers" } else { "tasks" };
        let directories: Vec<_> = self
            .search_path(task)
            .into_iter()
            .flat_map(|folder| [folder.clone(), sources::join(&folder, kind)])
            .collect();
        // A file that is not there is no mistake before the include is reached.
        let Some(path) = sources::find_file(name, &directories) else { return };
        if self.open_files.contains(&path) {
            return;
        }
        let mut reader = Reader::new(&sources);
        let level = Arc::new(Level {
            kind: crate::LevelKind::Include(sources::directory_of(&path)),
            parent: Some(Arc::clone(&task.level)),
            keywords: crate::Keywords::default(),
            vars: indexmap::IndexMap::new(),
            values: serde_json::Map::new(),
        });
        let place = Place { level, handlers: task.is_handler, directories };
        let named = Node::new(yaml::Value::String(name.to_owned()), task.action.position.clone());
        let items = reader.task_file(&path, &named, &place);
        self.problems.extend(reader.into_problems());
        self.open_files.push(path);
        self.items(&items);
        self.open_files.pop();
    }

    fn search_path(&self, task: &Task) -> Vec<Utf8PathBuf> {
        let files = task.level.chain().filter_map(|level| level.kind.folder().cloned());
        files.chain(self.directories.iter().cloned()).collect()
    }
}

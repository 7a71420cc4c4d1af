//! Lists of tasks and blocks, and the task files that `import_tasks` puts in their place.

use super::action::ActionKind;
use super::keywords::{self, Takes};
use super::reader::{Place, Reader};
use super::{Block, Item, Level, LevelKind, Task, fields, sources};
use camino::Utf8PathBuf;
use std::sync::Arc;
use yaml::{Mapping, Node, Value};

impl Reader<'_> {
    /// Reads a list of tasks and blocks.
    pub(super) fn items(&mut self, node: Option<&Node>, place: &Place) -> Vec<Item> {
        let Some(node) = node else { return Vec::new() };
        match &node.value {
            Value::Null => Vec::new(),
            Value::Sequence(tasks) => tasks.iter().filter_map(|task| self.item(task, place)).collect(),
            _ => {
                self.problems.hinted(
                    &node.position,
                    format!("expected a list of tasks, not {}", node.kind()),
                    fields::form(Takes::Tasks).map(str::to_owned),
                );
                Vec::new()
            }
        }
    }

    fn item(&mut self, node: &Node, place: &Place) -> Option<Item> {
        let Some(mapping) = node.as_mapping() else {
            let hint = Some("write `- name: …`, and below it the module with its parameters".to_owned());
            self.problems.hinted(&node.position, format!("a task must be a mapping, not {}", node.kind()), hint);
            return None;
        };
        if ["block", "rescue", "always"].iter().any(|name| mapping.get(name).is_some()) {
            return self.block(mapping, node, place).map(|block| Item::Block(Arc::new(block)));
        }
        let task = self.task(mapping, node, place)?;
        match task.action.kind {
            ActionKind::ImportTasks => self.import(&task, place).map(|block| Item::Block(Arc::new(block))),
            ActionKind::IncludeTasks => {
                self.check_include(&task);
                Some(Item::Task(Arc::new(task)))
            }
            _ => Some(Item::Task(Arc::new(task))),
        }
    }

    fn block(&mut self, mapping: &Mapping, node: &Node, place: &Place) -> Option<Block> {
        let fields = self.fields(mapping, keywords::BLOCK, "a block");
        for (key, _) in &fields.others {
            self.unknown_keyword(key, keywords::BLOCK, "a block");
        }
        let (tasks, rescue, always) = (fields.get("block"), fields.get("rescue"), fields.get("always"));
        if mapping.get("block").is_none() {
            self.problems.mistake(&node.position, "`rescue` and `always` need a `block`");
            return None;
        }
        if place.handlers && (rescue.is_some() || always.is_some()) {
            self.problems.unsupported(&node.position, "a `rescue` or `always` among handlers");
        }
        let level = fields.into_level(LevelKind::Block, Some(Arc::clone(&place.level)));
        let inside = Place { level: Arc::clone(&level), ..place.clone() };
        Some(Block {
            position: node.position.clone(),
            level,
            tasks: self.items(tasks, &inside),
            rescue: self.items(rescue, &inside),
            always: self.items(always, &inside),
        })
    }

    /// The file that an `import_tasks` or `include_tasks` names.
    pub(super) fn file_argument(&mut self, task: &Task) -> Option<Node> {
        let arguments = &task.action.arguments;
        for argument in &arguments.parameters {
            let allowed = argument.name == "file"
                || (argument.name == "apply" && matches!(task.action.kind, ActionKind::IncludeTasks));
            if !allowed {
                let message = format!("`{}` has no parameter `{}`", task.action.name, argument.name);
                let hint = format!("pass variables with `vars: {{{}: …}}`", argument.name);
                self.problems.hinted(&argument.position, message, Some(hint));
            }
        }
        let file = arguments.free_form.as_ref().or_else(|| arguments.get("file"));
        if file.and_then(Node::as_str).is_none_or(str::is_empty) {
            let hint = Some(format!("write `{}: tasks.yml`", task.action.name));
            self.problems.hinted(&task.action.position, format!("`{}` needs a file", task.action.name), hint);
            return None;
        }
        file.cloned()
    }

    fn check_include(&mut self, task: &Task) {
        self.file_argument(task);
        if let Some(apply) = task.action.arguments.get("apply")
            && apply.as_mapping().is_none()
        {
            self.problems.mistake(&apply.position, format!("`apply` takes a mapping, not {}", apply.kind()));
        }
    }

    /// Reads the tasks of an `import_tasks`. They inherit all its keywords.
    fn import(&mut self, task: &Task, place: &Place) -> Option<Block> {
        if let Some(repeat) = &task.repeat {
            let hint = Some("use `include_tasks`".to_owned());
            self.problems.hinted(&repeat.items.position, "`import_tasks` can not have a loop", hint);
            return None;
        }
        let file = self.file_argument(task)?;
        let name = file.as_str().unwrap_or_default();
        if fields::is_template(name) {
            self.problems.unsupported(&file.position, "a template in the path of `import_tasks`");
            return None;
        }
        let Some(path) = sources::find_tasks(name, &place.directories) else {
            let hint = Some(sources::looked_in(&place.directories));
            self.problems.hinted(&file.position, format!("file `{name}` does not exist"), hint);
            return None;
        };
        let level = Arc::new(Level {
            kind: LevelKind::Import(sources::directory_of(&path)),
            parent: Some(Arc::clone(&place.level)),
            keywords: task.level.keywords.clone(),
            vars: task.level.vars.clone(),
            values: serde_json::Map::new(),
        });
        let tasks = self.task_file(&path, &file, &Place { level: Arc::clone(&level), ..place.clone() });
        Some(Block { position: task.position.clone(), level, tasks, rescue: Vec::new(), always: Vec::new() })
    }

    /// Reads a file of tasks; `named` is where its name was written.
    pub(crate) fn task_file(&mut self, path: &Utf8PathBuf, named: &Node, place: &Place) -> Vec<Item> {
        if self.open_files.contains(path) {
            self.problems.mistake(&named.position, format!("file `{path}` imports itself"));
            return Vec::new();
        }
        let (node, warnings) = match sources::read(path) {
            Ok(read) => read,
            Err(mistakes) => {
                self.problems.mistakes.extend(mistakes);
                return Vec::new();
            }
        };
        self.warnings.extend(warnings);
        if !matches!(node.value, Value::Null | Value::Sequence(_)) {
            let message = format!("a task file holds a list of tasks, not {}", node.kind());
            self.problems.hinted(&node.position, message, Some("begin each task with `- name: …`".to_owned()));
            return Vec::new();
        }
        self.open_files.push(path.clone());
        let place = place.inside(path, if place.handlers { "handlers" } else { "tasks" });
        let items = self.items(Some(&node), &place);
        self.open_files.pop();
        items
    }

    /// Reads a keyword mapping that stands by itself: `apply` of an `include_tasks`.
    pub(crate) fn apply_level(&mut self, apply: &Node, parent: Arc<Level>) -> Option<Arc<Level>> {
        if fields::objection(Takes::Mapping, apply).is_some() {
            self.problems.mistake(&apply.position, format!("`apply` takes a mapping, not {}", apply.kind()));
            return None;
        }
        let fields = self.fields(apply.as_mapping()?, keywords::BLOCK, "`apply`");
        for (key, _) in &fields.others {
            self.unknown_keyword(key, keywords::BLOCK, "`apply`");
        }
        Some(fields.into_level(LevelKind::Block, Some(parent)))
    }
}

impl Place {
    /// The same place for what stands in another file: its relative paths begin in that file's folder.
    fn inside(&self, file: &Utf8PathBuf, kind: &str) -> Self {
        let directory = sources::directory_of(file);
        let mut directories = vec![directory.clone(), sources::join(&directory, kind)];
        directories.extend(self.directories.iter().filter(|known| **known != directory).cloned());
        Self { directories, ..self.clone() }
    }
}

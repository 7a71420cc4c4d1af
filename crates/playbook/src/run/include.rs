//! `include_tasks`: files that are read while the play runs.

use super::execution::{Done, Include};
use super::fault::Fault;
use super::flow::{Flow, Inside, State};
use super::veil::Veil;
use super::{paths, report};
use crate::event::{Event, Status};
use crate::load::{Item, Level, LevelKind, Place, Problems, Reader, Task, sources};
use camino::Utf8PathBuf;
use diagnostic::Mistake;
use std::sync::Arc;

/// A file that some hosts include.
struct Group {
    include: Include,
    /// Hides what the first of its hosts has read of secrets.
    veil: Arc<Veil>,
    hosts: Vec<usize>,
}

impl Flow<'_> {
    /// Runs the files that a task includes, one after the other, each on the hosts that ask for it.
    pub(crate) async fn include(&mut self, task: &Arc<Task>, done: &[(usize, Done)], inside: Inside) {
        let mut files = Vec::new();
        for group in grouped(done, |host| self.states[host] == State::Active) {
            match self.read(task, &group) {
                Ok((path, items)) => {
                    self.tell_included(&path, &group);
                    files.push((items, group.hosts));
                }
                Err(fault) => self.refuse(task, &group, &fault, inside),
            }
        }
        for (items, hosts) in files {
            let hosts = self.active(&hosts);
            self.items(&items, &hosts, inside).await;
        }
    }

    fn tell_included(&self, path: &Utf8PathBuf, group: &Group) {
        let hosts: Vec<String> = group.hosts.iter().map(|host| self.hosts[*host].name.clone()).collect();
        for host in &hosts {
            self.run.outcome().count(host, Status::Ok, false);
        }
        let item = group.include.label.as_ref().map(|label| group.veil.text(label));
        self.run.tell(Event::Included { file: group.veil.text(path.as_str()), hosts, item });
    }

    /// Reads the file. Its tasks inherit from where the include stands, not from the include itself, but for its variables
    /// and what `apply` says.
    fn read(&self, task: &Task, group: &Group) -> Result<(Utf8PathBuf, Vec<Item>), Fault> {
        let include = &group.include;
        let kind = if task.is_handler { "handlers" } else { "tasks" };
        let folders = paths::search_path(self.play, &task.level);
        let directories: Vec<_> =
            folders.iter().flat_map(|folder| [folder.clone(), sources::join(folder, kind)]).collect();
        let path = sources::find_file(&include.file, &directories).ok_or_else(|| {
            let message = format!("Could not find or access '{}' on the Ansible Controller.", include.file);
            let arguments = &task.action.arguments;
            let named = arguments.free_form.as_ref().or_else(|| arguments.get("file"));
            let position = named.map_or(&task.action.position, |file| &file.position).clone();
            Fault::at(Mistake::at(position, message).hinted(sources::looked_in(&directories)))
        })?;
        let file = Arc::new(level(task, group, &path));
        let mut reader = Reader::new(&self.run.options.sources);
        let level = match task.action.arguments.get("apply") {
            Some(apply) => reader.apply_level(apply, Arc::clone(&file)).unwrap_or(file),
            None => file,
        };
        let place = Place { level, handlers: task.is_handler, directories };
        let named = yaml::Node::new(yaml::Value::String(include.file.clone()), task.action.position.clone());
        let items = reader.task_file(&path, &named, &place);
        let mut problems = reader.into_problems();
        crate::check::items(&items, &mut problems);
        match first(problems) {
            Some(mistake) => Err(Fault::at(mistake)),
            None => Ok((path, items)),
        }
    }

    /// A file that can't be included fails on all its hosts.
    fn refuse(&mut self, task: &Task, group: &Group, fault: &Fault, inside: Inside) {
        let status = if inside.rescued { Status::Rescued } else { Status::Failed };
        for host in &group.hosts {
            self.states[*host] = State::Failed;
            let name = self.hosts[*host].name.clone();
            self.run.outcome().count(&name, status, false);
            if !inside.rescued {
                self.variables.remove(&name);
            }
            self.run.tell(Event::TaskFinished {
                host: name,
                task: task.title().to_owned(),
                status,
                result: report::shown(&fault.result, false, &group.veil),
                duration_seconds: 0.0,
                position: task.position.clone(),
                diagnostic: report::shown_mistake(fault.mistake.as_ref(), false, &group.veil),
            });
        }
    }
}

/// What the tasks of an included file inherit. Values that are secret are kept beside the variables, where they can be marked.
fn level(task: &Task, group: &Group, path: &Utf8PathBuf) -> Level {
    let mut vars = task.level.vars.clone();
    let mut values = group.include.values.clone();
    values.retain(|name, value| match group.veil.variable(value) {
        template::Variable::Authored(marked) => {
            vars.insert(name.clone(), marked);
            false
        }
        _ => true,
    });
    let kind = LevelKind::Include(sources::directory_of(path));
    Level { kind, parent: task.level.parent.clone(), keywords: crate::Keywords::default(), vars, values }
}

/// The first thing wrong with a file. What only Ansible supports is wrong by now, too: the run is under way.
fn first(problems: Problems) -> Option<Mistake> {
    let all = problems.mistakes.into_iter().chain(problems.unsupported);
    all.min_by(|a, b| a.position.cmp(&b.position))
}

/// Which hosts include which file with which loop variables, in the order of `IncludedFile.process_include_results`.
fn grouped(done: &[(usize, Done)], is_active: impl Fn(usize) -> bool) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (host, done) in done.iter().filter(|(host, _)| is_active(*host)) {
        for include in &done.includes {
            let known = groups.iter_mut().find(|group| group.include == *include && !group.hosts.contains(host));
            match known {
                Some(group) => group.hosts.push(*host),
                None => {
                    let (include, veil) = (include.clone(), Arc::clone(&done.veil));
                    groups.push(Group { include, veil, hosts: vec![*host] });
                }
            }
        }
    }
    groups
}

//! One task on one host, with its loop: what `ansible/executor/task_executor.py` (2.19) does.

use super::Run;
use super::attempt::{Item, Update};
use super::fault::Fault;
use super::report;
use super::templates::{Templates, text};
use super::variables::{Host, Locals, PlayVariables, Scope};
use super::veil::{Veil, plain};
use crate::event::Event;
use crate::load::{Loop, Play, Task};
use diagnostic::Mistake;
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use template::{Value, Variable};

/// A task on a host.
pub(crate) struct Execution<'r> {
    pub(crate) run: &'r Run<'r>,
    pub(crate) play: &'r Play,
    pub(crate) task: &'r Task,
    pub(crate) host: Arc<Host>,
    /// The name in events.
    pub(crate) title: String,
}

/// What a task left.
pub(crate) struct Done {
    pub(crate) result: Map<String, Json>,
    pub(crate) mistake: Option<Mistake>,
    pub(crate) no_log: bool,
    pub(crate) ignore_errors: bool,
    pub(crate) ignore_unreachable: bool,
    /// Handlers to notify.
    pub(crate) notify: Vec<String>,
    /// Facts and variables to keep.
    pub(crate) updates: Vec<Update>,
    /// Files to include, in order.
    pub(crate) includes: Vec<Include>,
    pub(crate) duration: Duration,
    /// Hides what was read of secrets.
    pub(crate) veil: Arc<Veil>,
}

/// A file that `include_tasks` names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Include {
    pub(crate) file: String,
    /// The loop's variables.
    pub(crate) values: Map<String, Json>,
    /// The loop's label.
    pub(crate) label: Option<String>,
}

impl<'r> Execution<'r> {
    /// Carries the task out.
    pub(crate) async fn carry_out(&self, play: &Arc<PlayVariables>) -> Done {
        let begun = Instant::now();
        let scope = Scope::of_task(&self.run.world, play, &self.host, self.task);
        let templates = self.run.templates(&self.run.engine_for(self.play, self.task), scope);
        let mut done = match &self.task.repeat {
            None => Done::of(self.once(&templates, None).await),
            Some(repeat) => match self.items(repeat, &templates).await {
                Ok(items) if items.is_empty() => Done::of_nothing(),
                Ok(items) => self.each(repeat, items, &templates).await,
                Err(fault) => Done::of(self.once(&templates, Some(fault)).await),
            },
        };
        done.result.entry("changed").or_insert(Json::Bool(false));
        done.duration = begun.elapsed();
        done.veil = templates.veil;
        done
    }

    /// The items of the loop.
    async fn items(&self, repeat: &Loop, templates: &Templates<'_>) -> Result<Vec<Value>, Fault> {
        match &repeat.lookup {
            Some(lookup) => super::lookup::items(lookup, &repeat.items, templates).await,
            None => match templates.render(&repeat.items, "").await? {
                Value::List(items) | Value::Tuple(items) => Ok(items.to_vec()),
                other => {
                    let message = format!("the `loop` value must resolve to a list, not `{}`", text(&other));
                    let mistake = Mistake::at(repeat.items.position.clone(), message);
                    Err(Fault::at(mistake.hinted("add `| list`, or put the value into a list: `[…]`")))
                }
            },
        }
    }

    async fn each(&self, repeat: &Loop, items: Vec<Value>, templates: &Templates<'_>) -> Done {
        let control = match Control::read(repeat, templates).await {
            Ok(control) => control,
            Err(fault) => return Done::of(Item::failed(fault)),
        };
        let all = Arc::new(items);
        let mut locals = (*templates.scope.locals).clone();
        let mut done = Done::new();
        let mut results = Vec::new();
        for (index, value) in all.iter().enumerate() {
            if let (Some(pause), true) = (control.pause, index > 0) {
                tokio::time::sleep(pause).await;
            }
            control.set(&mut locals, &all, index, &templates.veil);
            let here = templates.with_locals(locals.clone());
            let begun = Instant::now();
            let mut item = self.once(&here, None).await;
            self.keep(&item, &mut locals, &templates.veil);
            let here = templates.with_locals(locals.clone());
            let label = control.label(&mut item, value, &here).await;
            control.mark(&mut item.result, &here.scope.locals, index, value);
            self.tell_item(&item, &label, begun.elapsed(), &templates.veil);
            let stop = self.should_break(repeat, &here).await;
            done.add(&mut item, &control, &here.scope.locals, label);
            results.push(item);
            match stop {
                Ok(true) => break,
                Ok(false) => {}
                Err(fault) => {
                    done.fail(fault);
                    break;
                }
            }
        }
        done.collect(results);
        done
    }

    /// What one item leaves for the next ones: the registered result and facts.
    fn keep(&self, item: &Item, locals: &mut Locals, veil: &Veil) {
        if let Some(name) = &self.task.register {
            locals.insert(name.clone(), veil.registered(&item.result));
        }
        for update in &item.updates {
            for (name, value) in update.values() {
                locals.insert(name.clone(), veil.variable(value));
            }
        }
    }

    async fn should_break(&self, repeat: &Loop, templates: &Templates<'_>) -> Result<bool, Fault> {
        if repeat.control.break_when.is_empty() {
            return Ok(false);
        }
        templates.hold(&repeat.control.break_when).await
    }

    fn tell_item(&self, item: &Item, label: &str, duration: Duration, veil: &Veil) {
        let status = super::step::ignored(report::status(&item.result), item.ignore_errors, item.ignore_unreachable);
        let label = if item.no_log { "(censored due to no_log)".to_owned() } else { veil.text(label) };
        // Files that are included are told when they are.
        if item.include.is_some() {
            return;
        }
        self.run.tell(Event::ItemFinished {
            host: self.host.name.clone(),
            task: self.title.clone(),
            status,
            item: label,
            result: report::shown(&item.result, item.no_log, veil),
            duration_seconds: duration.as_secs_f64(),
            diagnostic: report::shown_mistake(item.mistake.as_ref(), item.no_log, veil),
        });
    }
}

/// `loop_control`, rendered but for the label.
struct Control<'t> {
    variable: String,
    index: Option<String>,
    label: Option<&'t yaml::Node>,
    pause: Option<Duration>,
    extended: bool,
    all_items: bool,
}

impl<'t> Control<'t> {
    async fn read(repeat: &'t Loop, templates: &Templates<'_>) -> Result<Self, Fault> {
        let control = &repeat.control;
        let pause = templates.number(control.pause.as_ref(), "pause").await?;
        Ok(Self {
            variable: templates.text(control.loop_var.as_ref(), "loop_var").await?.unwrap_or_else(|| "item".to_owned()),
            index: templates.text(control.index_var.as_ref(), "index_var").await?,
            label: control.label.as_ref(),
            pause: pause.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).filter(|pause| !pause.is_zero()),
            extended: templates.boolean(control.extended.as_ref(), "extended").await?.unwrap_or(false),
            all_items: templates
                .boolean(control.extended_allitems.as_ref(), "extended_allitems")
                .await?
                .unwrap_or(true),
        })
    }

    /// Sets the variables of an item.
    fn set(&self, locals: &mut Locals, all: &Arc<Vec<Value>>, index: usize, veil: &Veil) {
        veil.echo(&self.variable);
        locals.insert("ansible_loop_var".to_owned(), Value::from(self.variable.as_str()).into());
        locals.insert(self.variable.clone(), veil.value(&all[index]));
        if let Some(name) = &self.index {
            locals.insert("ansible_index_var".to_owned(), Value::from(name.as_str()).into());
            locals.insert(name.clone(), Value::from(index).into());
        }
        if self.extended {
            locals.insert("ansible_loop".to_owned(), veil.value(&self.extended(all, index)));
        }
    }

    fn extended(&self, all: &Arc<Vec<Value>>, index: usize) -> Value {
        let length = all.len();
        let mut entries = vec![
            ("index", Value::from(index + 1)),
            ("index0", Value::from(index)),
            ("first", Value::Bool(index == 0)),
            ("last", Value::Bool(index + 1 == length)),
            ("length", Value::from(length)),
            ("revindex", Value::from(length - index)),
            ("revindex0", Value::from(length - index - 1)),
        ];
        if self.all_items {
            entries.push(("allitems", Value::List(Arc::clone(all))));
        }
        if let Some(next) = all.get(index + 1) {
            entries.push(("nextitem", next.clone()));
        }
        if let Some(previous) = index.checked_sub(1).and_then(|previous| all.get(previous)) {
            entries.push(("previtem", previous.clone()));
        }
        Value::record(entries)
    }

    /// What the item is called. A label that can't be rendered fails the item.
    async fn label(&self, item: &mut Item, value: &Value, templates: &Templates<'_>) -> String {
        let Some(node) = self.label else { return text(value) };
        match templates.render(node, "failed to template loop_control.label").await {
            Ok(label) => text(&label),
            Err(fault) => {
                item.fail(fault);
                text(value)
            }
        }
    }

    /// Adds the loop's variables to the result of an item.
    fn mark(&self, result: &mut Map<String, Json>, locals: &Locals, index: usize, value: &Value) {
        result.insert(self.variable.clone(), value.to_json());
        result.insert("ansible_loop_var".to_owned(), self.variable.clone().into());
        if let Some(name) = &self.index {
            result.insert(name.clone(), index.into());
            result.insert("ansible_index_var".to_owned(), name.clone().into());
        }
        if let Some(extended) = data(locals, "ansible_loop") {
            result.insert("ansible_loop".to_owned(), extended);
        }
    }

    /// The variables that an include takes along (`IncludedFile.process_include_results`).
    fn values(&self, locals: &Locals) -> Map<String, Json> {
        let names = [
            Some(self.variable.as_str()),
            Some("ansible_loop_var"),
            self.index.as_deref(),
            Some("ansible_index_var"),
            Some("ansible_loop"),
        ];
        let value = |name: &str| Some((name.to_owned(), data(locals, name)?));
        names.into_iter().flatten().filter_map(value).collect()
    }
}

/// A variable of the loop as data.
fn data(locals: &Locals, name: &str) -> Option<Json> {
    match locals.get(name)? {
        Variable::Data(value) => Some(value.to_json()),
        Variable::Authored(marked) => Some(plain(marked)),
        Variable::Scope(_) => None,
    }
}

impl Done {
    fn new() -> Self {
        Self {
            result: Map::new(),
            mistake: None,
            no_log: false,
            ignore_errors: false,
            ignore_unreachable: false,
            notify: Vec::new(),
            updates: Vec::new(),
            includes: Vec::new(),
            duration: Duration::ZERO,
            veil: Arc::default(),
        }
    }

    /// A task without a loop.
    fn of(item: Item) -> Self {
        let include = item.include.map(|file| Include { file, values: Map::new(), label: None });
        Self {
            result: item.result,
            mistake: item.mistake,
            no_log: item.no_log,
            ignore_errors: item.ignore_errors,
            ignore_unreachable: item.ignore_unreachable,
            notify: item.notify,
            updates: item.updates,
            includes: include.into_iter().collect(),
            ..Self::new()
        }
    }

    /// A loop over nothing.
    fn of_nothing() -> Self {
        let result =
            json!({"changed": false, "skipped": true, "skipped_reason": "No items in the list", "results": []});
        Self { result: result.as_object().cloned().unwrap_or_default(), ..Self::new() }
    }

    fn add(&mut self, item: &mut Item, control: &Control<'_>, locals: &Locals, label: String) {
        if report::is_true(&item.result, "failed") {
            // A failure is ignored when all failed items say so.
            self.ignore_errors = if report::is_true(&self.result, "failed") {
                self.ignore_errors && item.ignore_errors
            } else {
                item.ignore_errors
            };
            self.result.insert("failed".to_owned(), Json::Bool(true));
            self.result.insert("msg".to_owned(), "One or more items failed".into());
            self.mistake = self.mistake.take().or_else(|| item.mistake.clone());
        }
        if report::is_true(&item.result, "unreachable") {
            let is_first = !report::is_true(&self.result, "unreachable");
            self.ignore_unreachable = item.ignore_unreachable && (is_first || self.ignore_unreachable);
            self.result.insert("unreachable".to_owned(), Json::Bool(true));
            self.mistake = self.mistake.take().or_else(|| item.mistake.clone());
        }
        self.no_log |= item.no_log;
        if report::is_true(&item.result, "changed") {
            self.result.insert("changed".to_owned(), Json::Bool(true));
        }
        for name in std::mem::take(&mut item.notify) {
            if !self.notify.contains(&name) {
                self.notify.push(name);
            }
        }
        self.updates.append(&mut item.updates);
        if let Some(file) = item.include.clone() {
            self.includes.push(Include { file, values: control.values(locals), label: Some(label) });
        }
    }

    fn fail(&mut self, fault: Fault) {
        self.mistake = fault.mistake;
        self.result.extend(fault.result);
    }

    fn collect(&mut self, items: Vec<Item>) {
        let skipped = items.iter().all(|item| report::is_true(&item.result, "skipped"));
        self.result.insert("skipped".to_owned(), Json::Bool(skipped));
        if skipped {
            self.result.insert("msg".to_owned(), "All items skipped".into());
        } else if !report::is_true(&self.result, "failed") {
            self.result.insert("msg".to_owned(), "All items completed".into());
        }
        let results = items.into_iter().map(|item| Json::Object(item.result)).collect();
        self.result.insert("results".to_owned(), Json::Array(results));
    }
}

impl<'r> Run<'r> {
    /// The template engine with the task's search path.
    pub(crate) fn engine_for(&self, play: &Play, task: &Task) -> template::Engine {
        let paths = super::paths::search_path(play, &task.level);
        self.engine.with_search_path(paths.into_iter().map(camino::Utf8PathBuf::into_std_path_buf))
    }
}

//! One execution of a task on one host: condition, parameters, the module, its verdict, and again while `until` asks for it.

use super::context::TaskContext;
use super::execution::Execution;
use super::fault::{Fault, TASK_FAILED};
use super::templates::{Templates, text};
use super::variables::Host;
use super::veil::Veil;
use super::{parameters, paths, report};
use crate::event::Event;
use crate::load::{ActionKind, fields};
use crate::modules::{Invocation, Module, TaskResult};
use diagnostic::Mistake;
use serde_json::{Map, Value as Json};
use std::sync::Arc;
use std::time::Duration;
use template::Value;
use yaml::Node;

/// What one execution left.
#[derive(Debug, Default)]
pub(crate) struct Item {
    pub(crate) result: Map<String, Json>,
    pub(crate) mistake: Option<Mistake>,
    pub(crate) no_log: bool,
    pub(crate) ignore_errors: bool,
    pub(crate) ignore_unreachable: bool,
    pub(crate) notify: Vec<String>,
    pub(crate) updates: Vec<Update>,
    /// The file of an `include_tasks`.
    pub(crate) include: Option<String>,
}

/// Variables that a task gives to its host.
#[derive(Debug, Clone)]
pub(crate) enum Update {
    /// `set_fact`
    Set(Map<String, Json>),
    /// Facts of a module.
    Facts(Map<String, Json>),
    /// `include_vars`, which may hold templates.
    Included(Vec<(String, Arc<Node>)>, Map<String, Json>),
}

impl Update {
    /// Names and values, as far as they are data.
    pub(crate) fn values(&self) -> &Map<String, Json> {
        match self {
            Self::Set(values) | Self::Facts(values) | Self::Included(_, values) => values,
        }
    }
}

impl Item {
    pub(crate) fn failed(fault: Fault) -> Self {
        let mut item = Self::default();
        item.fail(fault);
        item
    }

    pub(crate) fn fail(&mut self, fault: Fault) {
        self.result.extend(fault.result);
        self.mistake = fault.mistake;
    }
}

/// Keywords of a task that are needed while it runs.
struct Settings {
    check_mode: bool,
    diff: bool,
    timeout: Option<Duration>,
    retries: u32,
    delay: Duration,
    environment: Vec<(String, String)>,
}

/// Retries when `until` stands alone (`task_executor.py`).
const RETRIES: u32 = 3;
/// Seconds between them.
const DELAY_SECONDS: f64 = 5.0;

impl Execution<'_> {
    /// Carries the task out once: without a loop, or for one item of it. `broken` is what was wrong with the loop, which
    /// matters only when the condition holds.
    pub(crate) async fn once(&self, templates: &Templates<'_>, broken: Option<Fault>) -> Item {
        let mut item = Item::default();
        self.read_verdict_keywords(templates, &mut item).await;
        match self.perform(templates, broken, &mut item).await {
            Ok(()) => {}
            Err(fault) => {
                item.result.clear();
                item.fail(fault);
            }
        }
        item
    }

    /// Keywords that say how a failure is treated, also one that comes before anything else is rendered.
    async fn read_verdict_keywords(&self, templates: &Templates<'_>, item: &mut Item) {
        let level = &self.task.level;
        let no_log = templates.boolean(level.find(|keywords| keywords.no_log.as_ref()), "no_log").await;
        item.no_log = no_log.unwrap_or(Some(true)).unwrap_or(false);
        let ignore = templates.boolean(level.find(|keywords| keywords.ignore_errors.as_ref()), "ignore_errors").await;
        item.ignore_errors = ignore.ok().flatten().unwrap_or(false);
        let ignore = level.find(|keywords| keywords.ignore_unreachable.as_ref());
        let ignore = templates.boolean(ignore, "ignore_unreachable").await;
        item.ignore_unreachable = ignore.ok().flatten().unwrap_or(false);
    }

    async fn perform(&self, templates: &Templates<'_>, broken: Option<Fault>, item: &mut Item) -> Result<(), Fault> {
        match self.unmet(templates).await {
            Ok(None) => {}
            Ok(Some(condition)) => {
                item.result = skipped(condition);
                return Ok(());
            }
            Err(fault) => return Err(broken.unwrap_or(fault)),
        }
        if let Some(fault) = broken {
            return Err(fault);
        }
        let delegate = self.delegate(templates).await?;
        item.notify = self.notify(templates).await?;
        match self.task.action.kind {
            ActionKind::Module(module) => self.module(module, templates, delegate, item).await,
            ActionKind::IncludeTasks => self.include(templates, item).await,
            ActionKind::IncludeVars => self.include_vars(templates, item).await,
            ActionKind::Facts => self.facts(templates, delegate, item).await,
            ActionKind::Meta(_) | ActionKind::ImportTasks | ActionKind::Unknown => {
                Err(Fault::message(format!("`{}` is not supported by the native engine", self.task.action.name)))
            }
        }
    }

    /// The first condition that does not hold, outer levels first.
    async fn unmet(&self, templates: &Templates<'_>) -> Result<Option<&Node>, Fault> {
        templates.unmet(&self.task.level.conditions()).await
    }

    async fn delegate(&self, templates: &Templates<'_>) -> Result<Option<Arc<Host>>, Fault> {
        let Some(node) = self.task.level.find(|keywords| keywords.delegate_to.as_ref()) else { return Ok(None) };
        let value = templates.render(node, "").await?;
        match value {
            Value::Omit => Ok(None),
            value => match text(&value).as_str() {
                "" | "null" => Err(Fault::at(Mistake::at(node.position.clone(), "`delegate_to` gives no host"))),
                name => Ok(Some(self.run.world.host(name))),
            },
        }
    }

    async fn notify(&self, templates: &Templates<'_>) -> Result<Vec<String>, Fault> {
        let mut names = Vec::new();
        for node in self.task.level.find(|keywords| keywords.notify.as_deref()).unwrap_or_default() {
            match templates.render(node, "Error processing keyword 'notify'").await? {
                Value::Omit => {}
                Value::List(items) | Value::Tuple(items) => names.extend(items.iter().map(text)),
                value => names.push(text(&value)),
            }
        }
        Ok(names)
    }

    async fn settings(&self, templates: &Templates<'_>) -> Result<Settings, Fault> {
        let level = &self.task.level;
        let check = templates.boolean(level.find(|keywords| keywords.check_mode.as_ref()), "check_mode").await?;
        let diff = templates.boolean(level.find(|keywords| keywords.diff.as_ref()), "diff").await?;
        let timeout = templates.number(level.find(|keywords| keywords.timeout.as_ref()), "timeout").await?;
        let retries = templates.number(self.task.retries.as_ref(), "retries").await?;
        let delay = templates.number(self.task.delay.as_ref(), "delay").await?.unwrap_or(DELAY_SECONDS);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let retries = retries.map(|retries| retries.clamp(0.0, f64::from(u32::MAX - 1)) as u32);
        Ok(Settings {
            check_mode: check.unwrap_or(self.run.options.check),
            diff: diff.unwrap_or(self.run.options.diff),
            timeout: timeout
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .filter(|time| !time.is_zero()),
            retries: retries.unwrap_or(if self.task.until.is_empty() { 0 } else { RETRIES }),
            delay: Duration::try_from_secs_f64(if delay < 0.0 { 1.0 } else { delay }).unwrap_or(Duration::MAX),
            environment: self.environment(templates).await?,
        })
    }

    /// That of the run, and `environment` of all levels, outer ones first.
    async fn environment(&self, templates: &Templates<'_>) -> Result<Vec<(String, String)>, Fault> {
        let levels: Vec<_> = self.task.level.chain().filter_map(|level| level.keywords.environment.as_ref()).collect();
        let mut environment: indexmap::IndexMap<_, _> = self.run.options.environment.iter().cloned().collect();
        for node in levels.into_iter().rev().flat_map(fields::list) {
            match templates.render(&node, "Error processing keyword 'environment'").await? {
                Value::Map(map) => {
                    let entries = map.iter().filter(|(_, value)| !value.is_omit());
                    environment.extend(entries.map(|(name, value)| (name.to_json(), text(value))));
                }
                Value::Omit | Value::None => {}
                other => {
                    let message = format!("`environment` takes a mapping, not `{}`", text(&other));
                    return Err(Fault::at(Mistake::at(node.position.clone(), message)));
                }
            }
        }
        Ok(environment.into_iter().collect())
    }

    async fn module(
        &self,
        module: &'static Module,
        templates: &Templates<'_>,
        delegate: Option<Arc<Host>>,
        item: &mut Item,
    ) -> Result<(), Fault> {
        let settings = self.settings(templates).await?;
        let rendered = parameters::render(module, &self.task.action.arguments, templates).await?;
        rendered.veil(module, &templates.veil);
        let position = self.task.action.position.clone();
        let environment = settings.environment.clone();
        let context = TaskContext::new(templates.clone(), &self.task.level, delegate, environment, position);
        let invocation = Invocation {
            parameters: rendered.parameters,
            free_form: rendered.free_form,
            check_mode: settings.check_mode,
            diff: settings.diff,
            search_path: paths::search_path(self.play, &self.task.level),
            context: &context,
        };
        self.attempts(module, &invocation, &context, &settings, templates, item).await
    }

    /// Runs the module until it is satisfied or the retries are used up.
    async fn attempts(
        &self,
        module: &'static Module,
        invocation: &Invocation<'_>,
        context: &TaskContext<'_>,
        settings: &Settings,
        templates: &Templates<'_>,
        item: &mut Item,
    ) -> Result<(), Fault> {
        let most = settings.retries + 1;
        for attempt in 1..=most {
            item.result = self.call(module, invocation, context, settings, item).await?;
            if report::is_true(&item.result, "unreachable") {
                return Ok(());
            }
            if most > 1 {
                item.result.insert("attempts".to_owned(), attempt.into());
            }
            item.updates = self.updates(module, &item.result);
            let here = self.with_result(templates, item);
            self.judge(&here, item).await;
            if most == 1 {
                return Ok(());
            }
            let here = self.with_result(templates, item);
            let is_done = if self.task.until.is_empty() {
                !report::is_true(&item.result, "failed")
            } else {
                here.hold(&self.task.until).await?
            };
            if is_done {
                return Ok(());
            }
            if attempt < most {
                self.tell_retry(item, most, attempt, &templates.veil);
                tokio::time::sleep(settings.delay).await;
            }
        }
        item.result.insert("attempts".to_owned(), settings.retries.into());
        item.result.insert("failed".to_owned(), Json::Bool(true));
        Ok(())
    }

    /// Runs the module once. A template inside it may ask for facts that are not there yet; then it runs again with them.
    async fn call(
        &self,
        module: &'static Module,
        invocation: &Invocation<'_>,
        context: &TaskContext<'_>,
        settings: &Settings,
        item: &mut Item,
    ) -> Result<Map<String, Json>, Fault> {
        loop {
            let run = (module.run)(invocation);
            let outcome = match settings.timeout {
                None => run.await,
                Some(timeout) => match tokio::time::timeout(timeout, run).await {
                    Ok(outcome) => outcome,
                    Err(_) => return Err(timed_out(timeout)),
                },
            };
            let is_failure = outcome.is_err();
            let mut result = match outcome {
                Ok(TaskResult(result)) => result,
                Err(failure) => {
                    let fault = Fault::from(failure);
                    item.mistake = fault.mistake;
                    fault.result
                }
            };
            let trouble = context.take_trouble();
            if is_failure && context.templates.gather_wanted().await? {
                continue;
            }
            if is_failure {
                item.mistake = trouble.or_else(|| item.mistake.take());
            } else {
                item.mistake = None;
            }
            item.no_log |= report::is_true(&result, "_ansible_no_log");
            report::complete(&mut result);
            report::strip(&mut result);
            return Ok(result);
        }
    }

    /// The facts in a result.
    fn updates(&self, module: &Module, result: &Map<String, Json>) -> Vec<Update> {
        match result.get("ansible_facts").and_then(Json::as_object) {
            Some(facts) if module.name == "set_fact" => vec![Update::Set(facts.clone())],
            Some(facts) if module.name != "debug" => vec![Update::Facts(facts.clone())],
            _ => Vec::new(),
        }
    }

    /// Variables with the task's own result and facts.
    fn with_result<'t>(&self, templates: &Templates<'t>, item: &Item) -> Templates<'t> {
        if self.task.register.is_none() && item.updates.is_empty() {
            return templates.clone();
        }
        let mut locals = (*templates.scope.locals).clone();
        if let Some(name) = &self.task.register {
            locals.insert(name.clone(), templates.veil.registered(&item.result));
        }
        for (name, value) in item.updates.iter().flat_map(Update::values) {
            locals.insert(name.clone(), templates.veil.variable(value));
        }
        templates.with_locals(locals)
    }

    /// `changed_when` and `failed_when`.
    async fn judge(&self, templates: &Templates<'_>, item: &mut Item) {
        if item.result.contains_key("skipped") {
            return;
        }
        if !self.task.changed_when.is_empty() {
            match templates.hold(&self.task.changed_when).await {
                Ok(changed) => {
                    item.result.insert("changed".to_owned(), Json::Bool(changed));
                }
                Err(fault) => return misjudged(item, "changed_when_result", fault),
            }
        }
        if !self.task.failed_when.is_empty() {
            let templates = &self.with_result(templates, item);
            match templates.hold(&self.task.failed_when).await {
                Ok(failed) => {
                    item.result.insert("failed".to_owned(), Json::Bool(failed));
                    item.result.insert("failed_when_result".to_owned(), Json::Bool(failed));
                    if !failed {
                        item.mistake = None;
                    }
                }
                Err(fault) => misjudged(item, "failed_when_result", fault),
            }
        }
    }

    fn tell_retry(&self, item: &Item, most: u32, attempt: u32, veil: &Veil) {
        self.run.tell(Event::TaskRetried {
            host: self.host.name.clone(),
            task: self.title.clone(),
            attempt,
            retries_left: most - attempt,
            result: report::shown(&item.result, item.no_log, veil),
        });
    }

    async fn include(&self, templates: &Templates<'_>, item: &mut Item) -> Result<(), Fault> {
        let arguments = &self.task.action.arguments;
        let Some(file) = arguments.free_form.as_ref().or_else(|| arguments.get("file")) else {
            return Err(Fault::message("No include file was specified to the include"));
        };
        let file = text(&templates.render(file, "error while resolving the file of `include_tasks`").await?);
        item.result.insert("include".to_owned(), file.clone().into());
        item.result.insert("changed".to_owned(), Json::Bool(false));
        item.include = Some(file);
        Ok(())
    }

    async fn facts(
        &self,
        templates: &Templates<'_>,
        delegate: Option<Arc<Host>>,
        item: &mut Item,
    ) -> Result<(), Fault> {
        let settings = self.settings(templates).await?;
        let position = self.task.action.position.clone();
        let context = TaskContext::new(templates.clone(), &self.task.level, delegate, settings.environment, position);
        let facts = super::facts::ask(&context).await?;
        item.result = TaskResult::new(false).with("ansible_facts", facts.clone()).0;
        report::complete(&mut item.result);
        item.updates = vec![Update::Facts(facts)];
        let here = self.with_result(templates, item);
        self.judge(&here, item).await;
        Ok(())
    }
}

fn skipped(condition: &Node) -> Map<String, Json> {
    let condition = match &condition.value {
        yaml::Value::Bool(flag) => Json::Bool(*flag),
        _ => condition.as_str().unwrap_or_default().into(),
    };
    TaskResult::new(false)
        .with("skipped", true)
        .with("skip_reason", "Conditional result was False")
        .with("false_condition", condition)
        .0
}

fn misjudged(item: &mut Item, key: &str, fault: Fault) {
    item.result.insert("failed".to_owned(), Json::Bool(true));
    let message = fault.result.get("msg").and_then(Json::as_str).unwrap_or_default();
    item.result.insert(key.to_owned(), message.strip_prefix(TASK_FAILED).unwrap_or(message).into());
    item.mistake = fault.mistake;
}

fn timed_out(timeout: Duration) -> Fault {
    let message = format!("{TASK_FAILED}Timed out after {} second(s).", timeout.as_secs_f64());
    let mut fault = Fault::message(message);
    fault.result.insert("timedout".to_owned(), serde_json::json!({"period": timeout.as_secs_f64()}));
    fault
}

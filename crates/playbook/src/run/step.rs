//! One task on all hosts, and what follows from its results.

use super::execution::{Done, Execution};
use super::flow::{Flow, Inside, State};
use super::tags::{Selection, tags_of};
use super::templates::{Templates, text};
use super::variables::Scope;
use super::{attempt::Update, report};
use crate::event::{Event, Status};
use crate::load::{ActionKind, Task};
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use template::Value;

impl Flow<'_> {
    /// Runs a task on hosts, unless tags or `--start-at-task` leave it out.
    pub(crate) async fn task(&mut self, task: &Arc<Task>, hosts: &[usize], inside: Inside) {
        if !inside.handlers && !self.is_selected(task) {
            return;
        }
        let (name, title) = self.title(task, hosts[0]);
        if self.run.awaits_start() && self.run.is_before_start(&name, &task.action.name) {
            return;
        }
        if let ActionKind::Meta(meta) = task.action.kind {
            return self.meta(meta, task, &title, hosts, inside).await;
        }
        let run_once = self.flag(task, hosts[0], Keyword::RunOnce).await;
        let targets = if run_once { &hosts[..1] } else { hosts };
        self.tell_start(task, &title);
        let done = self.spread(task, &title, targets, inside).await;
        let is_fatal = (run_once || self.flag(task, hosts[0], Keyword::AnyErrorsFatal).await)
            && !self.flag(task, hosts[0], Keyword::IgnoreErrors).await;
        let mut someone_lost = false;
        for (host, done) in &done {
            someone_lost |= self.settle(task, *host, done, run_once, inside);
        }
        self.include(task, &done, inside).await;
        if is_fatal && someone_lost {
            self.fail_all(inside);
        }
        self.check_failures();
    }

    pub(crate) fn tell_start(&self, task: &Task, title: &str) {
        self.run.tell(Event::TaskStarted {
            task: title.to_owned(),
            module: full_name(&task.action.name),
            handler: task.is_handler,
            position: task.position.clone(),
        });
    }

    /// Whether `--tags` and `--skip-tags` take the task.
    fn is_selected(&self, task: &Task) -> bool {
        let options = self.run.options;
        let scope = Scope { level: Some(Arc::clone(&task.level)), ..Scope::of_play(&self.run.world, &self.variables) };
        let render = |node: &yaml::Node| match node.as_str() {
            Some(text) if !crate::load::fields::is_template(text) => Value::from(text),
            _ => self.run.engine.render(node, &scope.shared()).unwrap_or(Value::None),
        };
        Selection { only: &options.tags, skip: &options.skip_tags }.takes(&tags_of(&task.level, render))
    }

    /// The task's name, rendered as far as that goes: as it is, and as it may be shown.
    fn title(&self, task: &Task, host: usize) -> (String, String) {
        let plain = || task.title().to_owned();
        let Some(name) = task.name().filter(|name| crate::load::fields::holds_template(name)) else {
            return (plain(), plain());
        };
        let scope = Scope::of_task(&self.run.world, &self.variables, &self.hosts[host], task);
        let templates = self.run.templates(&self.run.engine, scope);
        let name = templates.render_now(name).map_or_else(|_| plain(), |value| text(&value));
        let title = templates.veil.text(&name);
        (name, title)
    }

    pub(crate) fn templates(&self, task: &Task, host: usize) -> Templates<'_> {
        let scope = Scope::of_task(&self.run.world, &self.variables, &self.hosts[host], task);
        self.run.templates(&self.run.engine_for(self.play, task), scope)
    }

    /// A keyword that concerns all hosts, rendered for the first. What can't be rendered fails when the task runs.
    async fn flag(&self, task: &Task, host: usize, keyword: Keyword) -> bool {
        let node = task.level.find(|keywords| match keyword {
            Keyword::RunOnce => keywords.run_once.as_ref(),
            Keyword::AnyErrorsFatal => keywords.any_errors_fatal.as_ref(),
            Keyword::IgnoreErrors => keywords.ignore_errors.as_ref(),
        });
        if node.is_none() {
            return false;
        }
        self.templates(task, host).boolean(node, "keyword").await.ok().flatten().unwrap_or(false)
    }

    /// Runs the task on all targets at once, as far as forks and `throttle` let it.
    async fn spread(&mut self, task: &Arc<Task>, title: &str, targets: &[usize], inside: Inside) -> Vec<(usize, Done)> {
        let width = self.width(task, targets).await;
        let finished = Mutex::new(Vec::with_capacity(targets.len()));
        let run_on = |host: usize| -> BoxFuture<'_, ()> {
            let execution = Execution {
                run: self.run,
                play: self.play,
                task,
                host: Arc::clone(&self.hosts[host]),
                title: title.to_owned(),
            };
            let (finished, variables) = (&finished, &self.variables);
            let this = &*self;
            Box::pin(async move {
                let done = execution.carry_out(variables).await;
                this.tell_done(task, title, host, &done, inside);
                finished.lock().unwrap_or_else(PoisonError::into_inner).push((host, done));
            })
        };
        let cancelled = self.run.cancel.clone();
        let futures: Vec<_> = targets.iter().map(|host| run_on(*host)).collect();
        let all = stream::iter(futures).buffer_unordered(width).collect::<Vec<()>>();
        let interrupted = tokio::select! {
            biased;
            () = cancelled.cancelled() => true,
            _ = all => false,
        };
        self.end.interrupted |= interrupted;
        let mut finished = finished.into_inner().unwrap_or_else(PoisonError::into_inner);
        finished.sort_by_key(|(host, _)| *host);
        finished
    }

    async fn width(&self, task: &Task, targets: &[usize]) -> usize {
        let forks = self.run.options.forks.max(1);
        let Some(node) = task.level.find(|keywords| keywords.throttle.as_ref()) else { return forks };
        let throttle = self.templates(task, targets[0]).number(Some(node), "throttle").await.ok().flatten();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "hosts are few")]
        match throttle.map(|throttle| throttle as usize) {
            Some(throttle) if throttle > 0 => throttle.min(forks),
            _ => forks,
        }
    }

    fn tell_done(&self, task: &Task, title: &str, host: usize, done: &Done, inside: Inside) {
        if !done.includes.is_empty() && report::status(&done.result) != Status::Failed {
            return;
        }
        self.run.tell(Event::TaskFinished {
            host: self.hosts[host].name.clone(),
            task: title.to_owned(),
            status: verdict(done, inside),
            result: report::shown(&done.result, done.no_log, &done.veil),
            duration_seconds: done.duration.as_secs_f64(),
            position: task.position.clone(),
            diagnostic: report::shown_mistake(done.mistake.as_ref(), done.no_log, &done.veil),
        });
    }

    /// Draws the consequences of a result; whether the host failed or was lost.
    fn settle(&mut self, task: &Task, host: usize, done: &Done, run_once: bool, inside: Inside) -> bool {
        let status = verdict(done, inside);
        let name = self.hosts[host].name.clone();
        let counts_later = !done.includes.is_empty() && matches!(status, Status::Ok | Status::Changed);
        if !counts_later {
            self.run.outcome().count(&name, status, report::is_true(&done.result, "changed"));
        }
        let everyone = self.reached(host, run_once);
        match status {
            Status::Failed | Status::Rescued => self.fail(task, host, done, run_once, inside),
            Status::Unreachable => {
                self.states[host] = State::Unreachable;
                self.variables.remove(&name);
            }
            Status::Ok | Status::Changed => {
                self.keep(done, &everyone);
                if report::is_true(&done.result, "changed") {
                    self.notify(host, done, inside);
                }
            }
            Status::Skipping | Status::Ignored => {}
        }
        if let Some(register) = &task.register {
            let mut result = done.result.clone();
            report::strip(&mut result);
            let value = done.veil.registered(&result);
            for host in everyone {
                self.hosts[host].memory_mut().set.insert(register.clone(), value.clone());
            }
        }
        matches!(status, Status::Failed | Status::Rescued | Status::Unreachable)
    }

    /// Whom a result concerns: with `run_once` every host that was not lost.
    fn reached(&self, host: usize, run_once: bool) -> Vec<usize> {
        if !run_once {
            return vec![host];
        }
        (0..self.hosts.len()).filter(|host| self.states[*host] != State::Unreachable).collect()
    }

    fn keep(&self, done: &Done, hosts: &[usize]) {
        for host in hosts {
            let mut memory = self.hosts[*host].memory_mut();
            for update in &done.updates {
                match update {
                    Update::Set(values) => {
                        memory.set.extend(values.iter().map(|(name, value)| (name.clone(), done.veil.variable(value))));
                    }
                    Update::Facts(facts) => memory.add_facts(facts),
                    Update::Included(variables, _) => {
                        let authored = |node: &Arc<yaml::Node>| template::Variable::Authored(Arc::clone(node));
                        memory.included.extend(variables.iter().map(|(name, node)| (name.clone(), authored(node))));
                    }
                }
            }
        }
    }

    fn fail(&mut self, task: &Task, host: usize, done: &Done, run_once: bool, inside: Inside) {
        let failed = if run_once { self.active(&(0..self.hosts.len()).collect::<Vec<_>>()) } else { vec![host] };
        for host in failed {
            self.states[host] = State::Failed;
            if !inside.rescued {
                self.variables.remove(&self.hosts[host].name);
            }
        }
        if inside.rescued {
            let described = json!({"name": task.title(), "action": full_name(&task.action.name)});
            let mut memory = self.hosts[host].memory_mut();
            memory.set.insert("ansible_failed_task".to_owned(), Value::from(described).into());
            memory.set.insert("ansible_failed_result".to_owned(), done.veil.registered(&done.result));
        }
    }

    /// `any_errors_fatal`: what failed on one host fails on all.
    fn fail_all(&mut self, inside: Inside) {
        for host in 0..self.hosts.len() {
            if self.states[host] == State::Active {
                self.states[host] = State::Failed;
                if !inside.rescued {
                    self.variables.remove(&self.hosts[host].name);
                }
            }
        }
    }

    /// `max_fail_percentage`: too many failed hosts end the run for all.
    #[expect(clippy::cast_precision_loss, reason = "hosts are few")]
    fn check_failures(&mut self) {
        let Some(most) = self.settings.max_fail_percentage else { return };
        let failed = self.states.iter().filter(|state| **state == State::Failed).count();
        if failed as f64 / self.hosts.len() as f64 > most / 100.0 {
            self.fail_all(Inside::default());
            self.end.breaks_run = true;
        }
    }
}

enum Keyword {
    RunOnce,
    AnyErrorsFatal,
    IgnoreErrors,
}

/// How a result counts.
fn verdict(done: &Done, inside: Inside) -> Status {
    match ignored(report::status(&done.result), done.ignore_errors, done.ignore_unreachable) {
        Status::Failed if inside.rescued => Status::Rescued,
        status => status,
    }
}

/// A failure that is ignored is one no longer.
pub(crate) fn ignored(status: Status, ignore_errors: bool, ignore_unreachable: bool) -> Status {
    match status {
        Status::Failed if ignore_errors => Status::Ignored,
        Status::Unreachable if ignore_unreachable => Status::Ignored,
        status => status,
    }
}

/// A module's name with its collection.
fn full_name(name: &str) -> String {
    if name.contains('.') { name.to_owned() } else { format!("ansible.builtin.{name}") }
}

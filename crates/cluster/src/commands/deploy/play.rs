//! Running a service's playbook.

use super::args::Args;
use super::destination::{Destination, authored};
use super::helm;
use super::locate::Item;
use super::one::Run;
use super::values::{self, Values};
use crate::commands::playbook::{Settled, Stdout, private_file, read, reason, run_ansible, variables_file};
use crate::context::Context;
use crate::exit::{Failure, Result, boxed};
use crate::output::{DeployEvent, Output};
use crate::target::Target;
use diagnostic::{Diagnose, Exit, Mistake, Mistakes, Position};
use inventory::Inventory;
use playbook::event::{Event, Status};
use playbook::{Options, Play, Playbook};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use tempfile::NamedTempFile;
use yaml::Node;

/// The playbooks, read and checked, with the engine that will run each.
pub(super) struct Prepared {
    by_service: BTreeMap<String, (Playbook, Settled)>,
    values: Values,
}

/// Reads and checks every playbook of the run, and says everything wrong in them at once.
pub(super) fn prepare(context: &Context, args: &Args, items: &[Item], inventory: &Inventory) -> Result<Prepared> {
    let values = values::merged(&args.values, context)?;
    let engine = context.engine(args.engine)?;
    let checked = read(items.iter().map(|item| item.path.as_ref()), context)?;
    let mut mistakes = Mistakes::new();
    checked.iter().flat_map(|one| &one.playbook.plays).for_each(|play| mistakes.extend(without_host(play, inventory)));
    mistakes.into_result().map_err(boxed)?;
    let mut by_service = BTreeMap::new();
    for (item, one) in items.iter().zip(checked) {
        let settled = engine.settle(one.unsupported, context)?;
        by_service.insert(item.service.name.to_string(), (one.playbook, settled));
    }
    Ok(Prepared { by_service, values })
}

/// A play whose hosts are not in the inventory would do nothing and call that success. Patterns that are templates are known
/// only when the playbook runs.
fn without_host(play: &Play, inventory: &Inventory) -> Option<Mistake> {
    let pattern = play.hosts.as_str().filter(|pattern| !pattern.contains("{{"))?;
    let error = inventory.require(pattern, None).err()?;
    let mistake = Mistake { position: Some(play.hosts.position.clone()), ..Mistake::of(&error) };
    Some(match error {
        inventory::Error::Unknown { name, .. } => mistake.hinted(format!(
            "the playbooks run on `{name}`: keep this name for the controller in the inventory and set `ansible_host`, or make a group \
             `{name}` with it"
        )),
        _ => mistake,
    })
}

impl Prepared {
    /// The first service whose playbook has the variable.
    pub(super) fn needs(&self, variable: &str) -> Option<&str> {
        let has = |playbook: &Playbook| playbook.plays.iter().any(|play| play.level.vars.contains_key(variable));
        self.by_service.iter().find(|(_, (playbook, _))| has(playbook)).map(|(name, _)| name.as_str())
    }

    /// Whether the other engine runs any of them.
    pub(super) fn needs_ansible(&self) -> bool {
        self.by_service.values().any(|(_, settled)| *settled == Settled::Ansible)
    }
}

/// What became of a playbook that did not fail.
pub(super) enum Played {
    /// It ran to its end.
    Done {
        /// Whether anything changed, or would have in check mode. In check mode only `ansible-playbook` knows of what it ran.
        changed: Option<bool>,
    },
    /// It found that it can't be run here, and touched nothing.
    NotRun {
        /// Why.
        reason: String,
    },
}

/// Runs it. `brings_sources`: whether it has to bring the sources to the controller, or finds them there.
pub(super) async fn run(run: &Run<'_>, item: &Item, output: &Output, brings_sources: bool) -> Result<Played> {
    let Some((playbook, settled)) = run.plays.by_service.get(item.service.name.as_str()) else {
        return Ok(Played::Done { changed: Some(false) });
    };
    let mut extra_vars = run.destination.variables.clone();
    if !brings_sources {
        extra_vars.extend([authored("source", json!("worktree"))]);
    }
    if run.args.all {
        extra_vars.extend([authored("upstream_optional", json!(true))]);
    }
    // Braces in values are the chart's business, such as those of Prometheus' rules.
    let verbatim = |name: &str, value: Value| {
        let (name, node) = authored(name, value);
        (name, node.into_unsafe())
    };
    extra_vars.extend([
        verbatim("service_values", Value::Object(run.plays.values.merged.clone())),
        verbatim("helm_set", json!(run.args.set)),
    ]);
    if run.plays.values.is_private {
        extra_vars.extend([authored("values_private", json!(true))]);
    }
    match settled {
        Settled::Native => native(run, item, output, playbook, extra_vars).await,
        Settled::Ansible => ansible(run, item, &extra_vars).await,
    }
}

async fn native(
    run: &Run<'_>,
    item: &Item,
    output: &Output,
    playbook: &Playbook,
    extra_vars: indexmap::IndexMap<String, Node>,
) -> Result<Played> {
    let (context, args) = (run.context, run.args);
    let options = Options {
        extra_vars,
        check: args.check,
        diff: args.diff,
        environment: run.destination.environment.clone(),
        ..context.playbook_options(args.ask_become_pass)?
    };
    let lost: Mutex<Option<Lost>> = Mutex::new(None);
    let not_run: Mutex<Option<String>> = Mutex::new(None);
    let tell = |event: Event| {
        if let Some(found) = Lost::by(&event) {
            lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(found);
        }
        if let Some(reason) = fact(&event, NOT_RUN).and_then(Value::as_str) {
            not_run.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason.to_owned());
        }
        let preview = ReleasePreview::by(&event);
        output.event(event);
        if let Some(ReleasePreview { before, after }) = preview {
            output.event(DeployEvent::ReleaseDiffers { service: item.service.name.to_string(), before, after });
        }
    };
    let outcome = playbook::run(playbook, run.inventory, &options, &tell, run.cancel.clone()).await.map_err(boxed)?;
    if outcome.succeeded() || outcome.interrupted {
        let changed = Some(outcome.recap.values().any(|counts| counts.changed > 0));
        let not_run = not_run.into_inner().unwrap_or_else(PoisonError::into_inner);
        return Ok(not_run.map_or(Played::Done { changed }, |reason| Played::NotRun { reason }));
    }
    let exit = if outcome.unreachable.is_empty() { Exit::Failed } else { Exit::Unreachable };
    let lost = lost.into_inner().unwrap_or_else(PoisonError::into_inner);
    let failed = NotDeployed { service: item.service.name.to_string(), lost, exit, again: context.again() };
    Err(Box::new(failed.in_words_of_helm(run, item)?))
}

async fn ansible(run: &Run<'_>, item: &Item, extra_vars: &indexmap::IndexMap<String, Node>) -> Result<Played> {
    let (context, args) = (run.context, run.args);
    let mut words = Vec::new();
    for source in context.inventory_sources()? {
        words.extend(["--inventory".to_owned(), source]);
    }
    let variables = private_file(variables_file(extra_vars).as_bytes())?;
    words.extend(["--extra-vars".to_owned(), format!("@{}", variables.path().display())]);
    // Asked for once, not again by each service's run.
    let password =
        if args.ask_become_pass { Some(private_file(context.become_password()?.reveal().as_bytes())?) } else { None };
    if let Some(password) = &password {
        words.extend(["--become-password-file".to_owned(), password.path().display().to_string()]);
    }
    let vault = vault_ids(context)?;
    for (label, file) in &vault {
        words.extend(["--vault-id".to_owned(), format!("{label}@{}", file.path().display())]);
    }
    let switches = [("--check", args.check), ("--diff", args.diff)];
    words.extend(switches.into_iter().filter(|(_, on)| *on).map(|(flag, _)| flag.to_owned()));
    words.extend((0..context.output.verbosity()).map(|_| "-v".to_owned()));
    words.push(item.path.to_string());
    let before = revision(run.destination, item).await?;
    match run_ansible(&words, Stdout::Progress, context, run.cancel).await? {
        0 if args.check => Ok(Played::Done { changed: None }),
        0 => Ok(Played::Done { changed: Some(revision(run.destination, item).await? != before) }),
        code => {
            let exit = if code == 4 { Exit::Unreachable } else { Exit::Failed };
            let message =
                format!("service `{}` was not deployed: ansible-playbook ended with {code}", item.service.name);
            Err(Failure::new(exit, message).hinted(format!("mend it and run `{}` again", context.again())).into())
        }
    }
}

/// The vault passwords as files that only this user can read: they were asked for once, for all services of the run.
fn vault_ids(context: &Context) -> Result<Vec<(String, NamedTempFile)>> {
    let secrets = context.passwords()?.given()?;
    let file = |(label, password): (&str, &vault::Password)| Ok((label.to_owned(), private_file(password.reveal())?));
    secrets.iter().map(file).collect()
}

/// What ansible-playbook changed is not told to us; the release's revision is.
async fn revision(destination: &Destination, item: &Item) -> Result<Option<u32>> {
    let (service, cluster) = (&item.service, &destination.connection.cluster);
    let release = cluster.release(&service.namespace, &service.release_name()).await.map_err(boxed)?;
    Ok(release.map(|release| release.revision))
}

/// The fact with which a playbook tells why it can't be run here (`build/tasks/upstream.yml`).
const NOT_RUN: &str = "service_not_run";

/// A fact that a task sets.
fn fact<'e>(event: &'e Event, name: &str) -> Option<&'e Value> {
    let Event::TaskFinished { result, .. } = event else { return None };
    result.get("ansible_facts")?.get(name)
}

/// The fact with which the shared tasks tell what an upgrade changes (`build/tasks/release.yml`).
#[derive(serde::Deserialize)]
struct ReleasePreview {
    before: String,
    after: String,
}

impl ReleasePreview {
    fn by(event: &Event) -> Option<Self> {
        serde_json::from_value(fact(event, "release_preview")?.clone()).ok()
    }
}

/// The first task that failed for good, or the first host that was lost.
struct Lost {
    task: String,
    host: String,
    reason: String,
    position: Position,
    label: &'static str,
    hint: Option<String>,
}

impl Lost {
    fn by(event: &Event) -> Option<Self> {
        let Event::TaskFinished {
            host,
            task,
            status: Status::Failed | Status::Unreachable,
            result,
            position,
            diagnostic,
            ..
        } = event
        else {
            return None;
        };
        Some(Self {
            task: task.clone(),
            host: host.clone(),
            reason: reason(result, &["stderr", "msg"]),
            position: diagnostic.as_ref().and_then(|one| one.position.clone()).unwrap_or_else(|| position.clone()),
            label: "this task",
            hint: diagnostic.as_ref().and_then(|one| one.hint.clone()),
        })
    }
}

/// A playbook that failed.
#[derive(thiserror::Error)]
#[error("service `{service}` was not deployed{}", because(.lost.as_ref()))]
struct NotDeployed {
    service: String,
    lost: Option<Lost>,
    exit: Exit,
    again: String,
}

impl NotDeployed {
    /// With the place that Helm means, where it is Helm that refused.
    fn in_words_of_helm(self, run: &Run<'_>, item: &Item) -> Result<Self> {
        let Some(lost) = self.lost else { return Ok(self) };
        if helm::is_unreachable(&lost.reason) && run.context.target()? == Target::Sandbox {
            let hint = Some("the sandbox does not answer: run `cluster sandbox up`".to_owned());
            return Ok(Self { lost: Some(Lost { hint, ..lost }), exit: Exit::Unreachable, ..self });
        }
        let lost = match helm::explain(&lost.reason, item, &run.args.values) {
            Some(told) => Lost {
                position: told.position.unwrap_or(lost.position),
                label: told.label.unwrap_or(lost.label),
                hint: Some(told.hint),
                ..lost
            },
            None => lost,
        };
        Ok(Self { lost: Some(lost), ..self })
    }
}

fn because(lost: Option<&Lost>) -> String {
    lost.map_or_else(String::new, |lost| format!(": task `{}` failed on {}: {}", lost.task, lost.host, lost.reason))
}

impl std::fmt::Debug for NotDeployed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl Diagnose for NotDeployed {
    fn position(&self) -> Option<Position> {
        self.lost.as_ref().map(|lost| lost.position.clone())
    }

    fn label(&self) -> Option<String> {
        self.lost.as_ref().map(|lost| lost.label.to_owned())
    }

    fn hint(&self) -> Option<String> {
        let hint = self.lost.as_ref().and_then(|lost| lost.hint.clone());
        hint.or_else(|| Some(format!("mend it and run `{}` again", self.again)))
    }

    fn exit(&self) -> Exit {
        self.exit
    }
}

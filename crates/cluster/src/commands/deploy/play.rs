//! Running a service's playbook.

use super::args::Args;
use super::destination::{Destination, authored};
use super::locate::Item;
use super::values;
use crate::commands::playbook::{Settled, Stdout, private_file, read, run_ansible, variables_file};
use crate::context::Context;
use crate::exit::{Failure, Result, boxed};
use crate::output::DeployEvent;
use diagnostic::{Diagnose, Exit, Mistake, Mistakes, Position};
use inventory::Inventory;
use playbook::event::{Event, Status};
use playbook::{Options, Play, Playbook};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::NamedTempFile;
use tokio_util::sync::CancellationToken;
use yaml::Node;

/// The playbooks, read and checked, with the engine that will run each.
pub(super) struct Prepared {
    by_service: BTreeMap<String, (Playbook, Settled)>,
    values: serde_json::Map<String, Value>,
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
    let rename = || format!("name your controller `{pattern}` in the inventory, or change `hosts` here");
    let position = play.hosts.position.clone();
    Some(Mistake::at(position, error.to_string()).hinted(error.hint().unwrap_or_else(rename)))
}

/// Runs it; whether anything changed.
pub(super) async fn run(
    context: &Context,
    args: &Args,
    inventory: &Arc<Inventory>,
    item: &Item,
    prepared: &Prepared,
    destination: &Destination,
    cancel: &CancellationToken,
) -> Result<bool> {
    let Some((playbook, settled)) = prepared.by_service.get(item.service.name.as_str()) else { return Ok(false) };
    let mut extra_vars = destination.variables.clone();
    // Braces in values are the chart's business, such as those of Prometheus' rules.
    let verbatim = |name: &str, value: Value| {
        let (name, node) = authored(name, value);
        (name, node.into_unsafe())
    };
    extra_vars.extend([
        verbatim("service_values", Value::Object(prepared.values.clone())),
        verbatim("helm_set", json!(args.set)),
    ]);
    match settled {
        Settled::Native => native(context, args, inventory, item, playbook, extra_vars, cancel).await,
        Settled::Ansible => ansible(context, args, item, &extra_vars, destination, cancel).await,
    }
}

async fn native(
    context: &Context,
    args: &Args,
    inventory: &Arc<Inventory>,
    item: &Item,
    playbook: &Playbook,
    extra_vars: indexmap::IndexMap<String, Node>,
    cancel: &CancellationToken,
) -> Result<bool> {
    let options =
        Options { extra_vars, check: args.check, diff: args.diff, ..context.playbook_options(args.ask_become_pass)? };
    let lost: Mutex<Option<Lost>> = Mutex::new(None);
    let tell = |event: Event| {
        if let Some(found) = Lost::by(&event) {
            lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(found);
        }
        let preview = ReleasePreview::by(&event);
        context.output.event(event);
        if let Some(ReleasePreview { before, after }) = preview {
            context.output.event(DeployEvent::ReleaseDiffers { service: item.service.name.to_string(), before, after });
        }
    };
    let outcome = playbook::run(playbook, inventory, &options, &tell, cancel.clone()).await.map_err(boxed)?;
    if outcome.succeeded() || outcome.interrupted {
        return Ok(outcome.recap.values().any(|counts| counts.changed > 0));
    }
    let exit = if outcome.unreachable.is_empty() { Exit::Failed } else { Exit::Unreachable };
    let lost = lost.into_inner().unwrap_or_else(PoisonError::into_inner);
    let again = context.again();
    Err(Box::new(NotDeployed { service: item.service.name.to_string(), lost, exit, again }))
}

async fn ansible(
    context: &Context,
    args: &Args,
    item: &Item,
    extra_vars: &indexmap::IndexMap<String, Node>,
    destination: &Destination,
    cancel: &CancellationToken,
) -> Result<bool> {
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
    let before = revision(destination, item).await?;
    match run_ansible(&words, Stdout::Progress, context, cancel).await? {
        0 => Ok(revision(destination, item).await? != before),
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

/// The fact with which the shared tasks tell what an upgrade changes (`build/tasks/release.yml`).
#[derive(serde::Deserialize)]
struct ReleasePreview {
    before: String,
    after: String,
}

impl ReleasePreview {
    fn by(event: &Event) -> Option<Self> {
        let Event::TaskFinished { result, .. } = event else { return None };
        let preview = result.get("ansible_facts")?.get("release_preview")?;
        serde_json::from_value(preview.clone()).ok()
    }
}

/// The first task that failed for good, or the first host that was lost.
struct Lost {
    task: String,
    host: String,
    reason: String,
    position: Position,
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
        let text = |key: &str| result.get(key).and_then(Value::as_str).unwrap_or_default().trim();
        let said = if text("stderr").is_empty() { text("msg") } else { text("stderr") };
        Some(Self {
            task: task.clone(),
            host: host.clone(),
            reason: said.to_owned(),
            position: diagnostic.as_ref().and_then(|one| one.position.clone()).unwrap_or_else(|| position.clone()),
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
        self.lost.as_ref().map(|_| "this task".to_owned())
    }

    fn hint(&self) -> Option<String> {
        let hint = self.lost.as_ref().and_then(|lost| lost.hint.clone());
        hint.or_else(|| Some(format!("mend it and run `{}` again", self.again)))
    }

    fn exit(&self) -> Exit {
        self.exit
    }
}

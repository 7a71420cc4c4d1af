//! Running a service's playbook.

use super::args::Args;
use super::destination::{Destination, authored};
use super::locate::Item;
use super::values;
use crate::commands::playbook::{Settled, run_ansible};
use crate::context::Context;
use crate::exit::{Failure, Result, boxed};
use crate::output::DeployEvent;
use diagnostic::{Diagnose, Exit, Mistakes, Position};
use inventory::Inventory;
use playbook::event::{Event, Status};
use playbook::{Options, Playbook, Sources};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;
use yaml::Node;

/// The playbooks, read and checked, with the engine that will run each.
pub(super) struct Prepared {
    by_service: BTreeMap<String, (Playbook, Settled)>,
    values: serde_json::Map<String, Value>,
}

/// Reads and checks every playbook of the run, and says everything wrong in them at once.
pub(super) fn prepare(context: &Context, args: &Args, items: &[Item]) -> Result<Prepared> {
    let values = values::merged(&args.values)?;
    let mut mistakes = Mistakes::new();
    let mut read = Vec::new();
    for item in items {
        match Playbook::load(&item.path, &Sources::default()) {
            Ok(playbook) => read.push((item, playbook)),
            Err(error) => mistakes.extend(error),
        }
    }
    mistakes.into_result().map_err(boxed)?;
    let mut by_service = BTreeMap::new();
    for (item, playbook) in read {
        playbook.warnings.iter().for_each(|warning| context.output.warning(warning));
        let settled = args.engine.settle(playbook::check(&playbook), context)?;
        by_service.insert(item.service.name.to_string(), (playbook, settled));
    }
    Ok(Prepared { by_service, values })
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
    extra_vars.extend([
        authored("service_values", Value::Object(prepared.values.clone())),
        authored("helm_set", json!(args.set)),
    ]);
    match settled {
        Settled::Native => native(context, args, inventory, item, playbook, extra_vars, cancel).await,
        Settled::Ansible => ansible(context, args, item, &extra_vars, cancel).await,
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
    Err(Box::new(NotDeployed { service: item.service.name.to_string(), lost, exit }))
}

async fn ansible(
    context: &Context,
    args: &Args,
    item: &Item,
    extra_vars: &indexmap::IndexMap<String, Node>,
    cancel: &CancellationToken,
) -> Result<bool> {
    let mut words = Vec::new();
    for source in context.inventory_sources()? {
        words.extend(["--inventory".to_owned(), source]);
    }
    let variables: serde_json::Map<_, _> =
        extra_vars.iter().map(|(name, node)| (name.clone(), node.to_data())).collect();
    words.extend(["--extra-vars".to_owned(), Value::Object(variables).to_string()]);
    let switches = [("--check", args.check), ("--diff", args.diff), ("--ask-become-pass", args.ask_become_pass)];
    words.extend(switches.into_iter().filter(|(_, on)| *on).map(|(flag, _)| flag.to_owned()));
    words.extend((0..context.output.verbosity()).map(|_| "-v".to_owned()));
    words.push(item.path.to_string());
    match run_ansible(&words, cancel).await? {
        0 => Ok(true),
        code => {
            let exit = if code == 4 { Exit::Unreachable } else { Exit::Failed };
            let message =
                format!("service `{}` was not deployed: ansible-playbook ended with {code}", item.service.name);
            Err(Failure::new(exit, message).into())
        }
    }
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
        hint.or_else(|| Some(format!("mend it and run `cluster deploy {}` again", self.service)))
    }

    fn exit(&self) -> Exit {
        self.exit
    }
}

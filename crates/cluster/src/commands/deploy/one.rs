//! One service's deployment, from top to bottom.

use super::args::Args;
use super::destination::Destination;
use super::locate::Item;
use super::play::{self, Played, Prepared};
use super::{recover, rollout, secrets, summary, verify};
use crate::context::Context;
use crate::exit::Result;
use crate::output::{DeployEvent, Output, Summary};
use diagnostic::Mistake;
use inventory::Inventory;
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// What all services of a run share.
pub(super) struct Run<'a> {
    pub(super) context: &'a Context,
    pub(super) args: &'a Args,
    pub(super) inventory: &'a Arc<Inventory>,
    pub(super) plays: &'a Prepared,
    pub(super) destination: &'a Destination,
    pub(super) cancel: &'a CancellationToken,
}

/// How a service's deployment ended, if it did not fail.
pub(super) enum Ended {
    /// It is up and verified.
    Up(Box<Summary>),
    /// Its playbook ran in check mode, or was interrupted: nothing more is known.
    Played,
    /// It could not even be tried here.
    NotRun {
        /// Why, as its playbook says.
        reason: String,
    },
}

/// Deploys it. `brings_sources`: whether its playbook has to bring the sources to the controller.
pub(super) async fn deploy(run: &Run<'_>, item: &Item, output: &Output, brings_sources: bool) -> Result<Ended> {
    let began = Instant::now();
    let (service, args) = (&item.service, run.args);
    if let Some(Mistake { message, hint, .. }) = secrets::unconfigured(item) {
        let reason = hint.map_or_else(|| message.clone(), |hint| format!("{message}; {hint}"));
        return Ok(Ended::NotRun { reason });
    }
    let playbook = item.path.to_string();
    output.event(DeployEvent::ServiceStarted { service: service.name.to_string(), playbook });
    if !args.check {
        recover::recover(run.destination, service, output).await?;
    }
    let changed = match play::run(run, item, output, brings_sources).await? {
        Played::NotRun { reason } => return Ok(Ended::NotRun { reason }),
        Played::Done { changed } => changed,
    };
    if args.check || run.cancel.is_cancelled() {
        if let (Some(would_change), false) = (changed, run.cancel.is_cancelled()) {
            output.event(DeployEvent::ServiceChecked { service: service.name.to_string(), would_change });
        }
        return Ok(Ended::Played);
    }
    let release = rollout::installed(run.destination, service).await?;
    let mut checks = Vec::new();
    if !args.no_wait {
        rollout::wait(run.destination, &release, args.timeout, run.cancel, output).await?;
        checks = verify::verify(run.destination, service, &release, run.context, output).await?;
    }
    let next = run.context.command(&format!("status {}", service.name));
    let summary =
        summary::summarize(run.destination, service, &release, &checks, changed == Some(true), began.elapsed(), next)
            .await?;
    output.event(DeployEvent::ServiceFinished(Box::new(summary.clone())));
    Ok(Ended::Up(Box::new(summary)))
}

//! The steps, from top to bottom.

use super::args::Args;
use super::destination::{self, Destination};
use super::locate::{self, Item};
use super::{play, recover, requirements, rollout, secrets, summary, verify};
use crate::command_line;
use crate::context::Context;
use crate::exit::{Code, Failure, Result};
use crate::interrupt;
use crate::output::DeployEvent;
use catalog::Catalog;
use diagnostic::Exit;
use inventory::Inventory;
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Facts first, validation second, the first change last.
pub(crate) fn run(args: Args, context: &Context) -> Result<Code> {
    command_line::refuse_secrets("--set", &args.set)?;
    refuse_set_for_many(&args)?;
    let catalog = context.catalog()?;
    let items = locate::locate(&catalog, &args.services)?;
    secrets::check(context, &items)?;
    let inventory = context.inventory()?;
    let plays = play::prepare(context, &args, &items, &inventory)?;
    context.runtime()?.block_on(async {
        let cancel = interrupt::token();
        let work = deploy(context, &args, &inventory, &catalog, &items, &plays, &cancel);
        tokio::select! {
            biased;
            ended = work => ended,
            () = wait_out(&cancel) => Err(interrupted(context)),
        }
    })
}

/// After an interruption, the time that everything has to end properly before the command leaves.
async fn wait_out(cancel: &CancellationToken) {
    cancel.cancelled().await;
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
}

async fn deploy(
    context: &Context,
    args: &Args,
    inventory: &Arc<Inventory>,
    catalog: &Catalog,
    items: &[Item],
    plays: &play::Prepared,
    cancel: &CancellationToken,
) -> Result<Code> {
    let destination = tokio::select! {
        reached = destination::reach(context, args, inventory, items) => reached?,
        () = cancel.cancelled() => return Err(interrupted(context)),
    };
    let services = items.iter().map(|item| item.service.name.to_string()).collect();
    context.output.event(DeployEvent::Planned { services, check_mode: args.check });
    requirements::warn(catalog, items, &destination, context).await?;
    for item in items {
        let ended = tokio::select! {
            biased;
            ended = one(context, args, inventory, item, plays, &destination, cancel) => ended,
            () = wait_out(cancel) => Err(interrupted(context)),
        };
        if cancel.is_cancelled() {
            return Err(interrupted(context));
        }
        ended?;
    }
    destination.connection.close().await;
    Ok(Code::DONE)
}

async fn one(
    context: &Context,
    args: &Args,
    inventory: &Arc<Inventory>,
    item: &Item,
    plays: &play::Prepared,
    destination: &Destination,
    cancel: &CancellationToken,
) -> Result<()> {
    let began = Instant::now();
    let (service, output) = (&item.service, &context.output);
    let playbook = item.path.to_string();
    output.event(DeployEvent::ServiceStarted { service: service.name.to_string(), playbook });
    if !args.check {
        recover::recover(destination, service, output).await?;
    }
    let changed = play::run(context, args, inventory, item, plays, destination, cancel).await?;
    if args.check || cancel.is_cancelled() {
        return Ok(());
    }
    let release = rollout::installed(destination, service).await?;
    let mut checks = Vec::new();
    if !args.no_wait {
        rollout::wait(destination, &release, args.timeout, cancel, output).await?;
        checks = verify::verify(destination, service, &release, context).await?;
    }
    let next = context.command(&format!("status {}", service.name));
    let summary = summary::summarize(destination, service, &release, &checks, changed, began.elapsed(), next).await?;
    output.event(DeployEvent::ServiceFinished(Box::new(summary)));
    Ok(())
}

fn refuse_set_for_many(args: &Args) -> Result<()> {
    if args.services.len() > 1 && (!args.set.is_empty() || !args.values.is_empty()) {
        let failure = Failure::usage("`--set` and `--values` hold for one service, several are named");
        return Err(failure.hinted("deploy the service with its own values by itself").into());
    }
    Ok(())
}

fn interrupted(context: &Context) -> crate::exit::Error {
    let hint = format!("run `{}` again", context.again());
    Failure::new(Exit::Interrupted, "interrupted; what was begun is left as it is").hinted(hint).into()
}

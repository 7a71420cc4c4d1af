//! The steps, from top to bottom.

use super::args::Args;
use super::destination;
use super::locate::{self, Item};
use super::one::{self, Ended, Run};
use super::schedule::Schedule;
use super::{many, play, requirements, secrets, set, values};
use crate::command_line;
use crate::context::Context;
use crate::exit::{Code, Failure, Result};
use crate::interrupt;
use crate::output::DeployEvent;
use catalog::Catalog;
use diagnostic::Exit;
use inventory::Inventory;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Facts first, validation second, the first change last.
pub(crate) fn run(args: Args, context: &Context) -> Result<Code> {
    command_line::refuse_secrets("--set", &args.set)?;
    set::check(&args.set)?;
    refuse_set_for_many(&args)?;
    let catalog = context.catalog()?;
    let items = locate::locate(&catalog, &args)?;
    values::check(&items, context)?;
    secrets::check(context, &args, &items)?;
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
        reached = destination::reach(context, args, inventory, plays) => reached?,
        () = cancel.cancelled() => return Err(interrupted(context)),
    };
    let services = items.iter().map(|item| item.service.name.to_string()).collect();
    context.output.event(DeployEvent::Planned { services, check_mode: args.check });
    requirements::warn(catalog, items, &destination, context).await?;
    let run = Run { context, args, inventory, plays, destination: &destination, cancel };
    let ended = tokio::select! {
        biased;
        ended = all(&run, items) => ended,
        () = wait_out(cancel) => Err(interrupted(context)),
    };
    if cancel.is_cancelled() {
        return Err(interrupted(context));
    }
    ended?;
    destination.connection.close().await;
    Ok(Code::DONE)
}

async fn all(run: &Run<'_>, items: &[Item]) -> Result<()> {
    if let [item] = items {
        return match one::deploy(run, item, &run.context.output, true).await? {
            Ended::NotRun { reason } => Err(Failure::new(Exit::Failed, reason).into()),
            Ended::Up(_) | Ended::Played => Ok(()),
        };
    }
    let schedule = Schedule::of(items);
    // The other engine writes to the terminal itself, and clones in check mode would meet in one folder.
    let one_by_one = run.plays.needs_ansible() || (run.args.check && run.destination.clones);
    let parallel = if one_by_one { 1 } else { run.args.parallel.get() };
    many::deploy(run, items, &schedule, parallel).await
}

fn refuse_set_for_many(args: &Args) -> Result<()> {
    if (args.all || args.services.len() > 1) && (!args.set.is_empty() || !args.values.is_empty()) {
        let failure = Failure::usage("`--set` and `--values` hold for one service, several are named");
        return Err(failure.hinted("deploy the service with its own values by itself").into());
    }
    Ok(())
}

fn interrupted(context: &Context) -> crate::exit::Error {
    let hint = format!("run `{}` again", context.again());
    Failure::new(Exit::Interrupted, "interrupted; what was begun is left as it is").hinted(hint).into()
}

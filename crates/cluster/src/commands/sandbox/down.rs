//! `cluster sandbox down`

use crate::context::Context;
use crate::exit::{Code, Failure, Result, boxed};
use crate::interrupt;
use diagnostic::Exit;
use sandbox::Event;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

/// End all processes of the sandbox and delete all its files.
///
/// Examples:
///   cluster sandbox down
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args, context: &Context) -> Result<Code> {
    let sandbox = context.sandbox()?;
    let has_begun = AtomicBool::new(false);
    let tell = |event: Event| {
        has_begun.fetch_or(matches!(event, Event::ComponentStopping { .. }), Ordering::Relaxed);
        context.output.event(event);
    };
    context.runtime()?.block_on(async {
        let cancel = interrupt::token();
        let mut down = pin!(sandbox.down(&tell));
        tokio::select! {
            ended = &mut down => return ended.map(|()| Code::DONE).map_err(boxed),
            () = cancel.cancelled() => {}
        }
        if !has_begun.load(Ordering::Relaxed) {
            let failure = Failure::new(Exit::Interrupted, "interrupted; nothing of the sandbox was ended");
            return Err(failure.hinted(format!("run `{}` again", context.again())).into());
        }
        // Half a sandbox is of no use to anybody, and the rest takes a moment.
        context.output.note("interrupted: what was begun is ended first; once more leaves at once");
        down.await.map(|()| Code::DONE).map_err(boxed)
    })
}

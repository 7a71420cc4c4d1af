//! `cluster sandbox up`

use crate::context::Context;
use crate::exit::{Code, Failure, Result, boxed};
use crate::interrupt;
use diagnostic::Exit;
use sandbox::{NodeSpec, Options};

/// Bring the sandbox up, or put right what is missing of it.
///
/// Its nodes are the machines of the inventory, with their architecture, cores and memory.
///
/// Examples:
///   cluster sandbox up
///   cluster sandbox up --workers 50
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// So many workers, made after those of the inventory
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=253))]
    workers: Option<u16>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    let mut nodes = NodeSpec::from_inventory(&*context.inventory()?, &context.config()?.controller).map_err(boxed)?;
    if let Some(workers) = args.workers {
        nodes = NodeSpec::with_workers(nodes, usize::from(workers));
    }
    let options = Options::new(nodes).map_err(boxed)?;
    let sandbox = context.sandbox()?;
    context.runtime()?.block_on(async {
        let cancel = interrupt::token();
        let tell = |event: sandbox::Event| context.output.event(event);
        tokio::select! {
            ended = sandbox.up(&options, &tell) => ended.map(|_| Code::DONE).map_err(boxed),
            () = cancel.cancelled() => {
                let failure = Failure::new(Exit::Interrupted, "interrupted; the sandbox may be half up");
                Err(failure.hinted("run `cluster sandbox up` to go on, or `cluster sandbox down` to end it").into())
            }
        }
    })
}

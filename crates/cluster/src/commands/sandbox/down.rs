//! `cluster sandbox down`

use crate::context::Context;
use crate::exit::{Code, Result, boxed};

/// End all processes of the sandbox and delete all its files.
///
/// Examples:
///   cluster sandbox down
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args, context: &Context) -> Result<Code> {
    let sandbox = context.sandbox()?;
    let tell = |event: sandbox::Event| context.output.event(event);
    context.runtime()?.block_on(sandbox.down(&tell)).map_err(boxed)?;
    Ok(Code::DONE)
}

//! `cluster sandbox controller`: the sandbox's own process, which `up` starts.

use crate::context::Context;
use crate::exit::{Code, Result, boxed};
use camino::Utf8PathBuf;

/// Provide volumes and addresses in the sandbox. `cluster sandbox up` starts this; there is no need to run it by hand.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The sandbox's folder
    #[arg(long, value_name = "FOLDER")]
    directory: Utf8PathBuf,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    context.runtime()?.block_on(sandbox::controller::run(&args.directory)).map_err(boxed)?;
    Ok(Code::DONE)
}

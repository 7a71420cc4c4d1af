//! `cluster inventory host`

use crate::context::Context;
use crate::exit::{Code, Result, boxed};

/// Show the variables of a host as JSON, in the form of `ansible-inventory --host`.
///
/// Examples:
///   cluster inventory host amd-build
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The host, as the inventory names it
    #[arg(value_name = "HOST")]
    host: String,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    let variables = context.inventory()?.to_host(&args.host, None).map_err(boxed)?;
    if context.output.is_json() {
        context.output.json(&variables);
    } else {
        context.output.data(&format!("{variables:#}"));
    }
    Ok(Code::DONE)
}

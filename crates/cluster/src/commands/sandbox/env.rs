//! `cluster sandbox env`

use crate::context::Context;
use crate::exit::{Code, Failure, Result, boxed};

/// Print the variables with which other programs reach the sandbox.
///
/// Examples:
///   eval "$(cluster sandbox env)"
///   kubectl get nodes
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args, context: &Context) -> Result<Code> {
    let variables = context.running_sandbox()?.env().map_err(boxed)?;
    if context.output.is_json() {
        let object: serde_json::Map<_, _> = variables.into_iter().map(|(name, value)| (name, value.into())).collect();
        context.output.json(&object);
        return Ok(Code::DONE);
    }
    for (name, value) in variables {
        let quoted = shlex::try_quote(&value)
            .map_err(|error| Failure::usage(format!("`{name}` can not be written for a shell")).because(error))?;
        context.output.data(&format!("export {name}={quoted}"));
    }
    Ok(Code::DONE)
}

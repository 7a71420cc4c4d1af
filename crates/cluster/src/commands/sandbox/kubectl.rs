//! `cluster sandbox kubectl`

use crate::context::Context;
use crate::exit::{Code, Failure, Result, boxed};
use std::os::unix::process::CommandExt;

/// Run kubectl against the sandbox.
///
/// Examples:
///   cluster sandbox kubectl get pods -A
///   cluster sandbox kubectl describe node pi-1
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, disable_help_flag = true)]
pub(crate) struct Args {
    /// What kubectl is told
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

#[expect(clippy::disallowed_methods, reason = "it becomes the kubectl of the sandbox")]
pub(crate) fn run(args: Args, context: &Context) -> Result<Code> {
    let sandbox = context.running_sandbox()?;
    let environment = sandbox.env().map_err(boxed)?;
    let kubectl = sandbox
        .tools()
        .find("kubectl")
        .ok_or_else(|| Failure::usage("kubectl is not built yet").hinted("run `scripts/tools.sh kubectl`"))?;
    let error = std::process::Command::new(&kubectl).args(args.arguments).envs(environment).exec();
    Err(Failure::usage(format!("`{kubectl}` could not be run")).because(error).into())
}

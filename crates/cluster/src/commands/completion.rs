//! `cluster completion`

use crate::context::Context;
use crate::exit::{Code, Failure, Result};
use clap_complete::Shell;
use diagnostic::Exit;

/// Print the completion script of a shell.
///
/// Examples:
///   cluster completion bash > /etc/bash_completion.d/cluster
///   source <(cluster completion zsh)
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::command(), "cluster", &mut script);
    let script = String::from_utf8(script)
        .map_err(|error| Failure::new(Exit::Failed, "the completion script is no UTF-8").because(error))?;
    context.output.data(&script);
    Ok(Code::DONE)
}

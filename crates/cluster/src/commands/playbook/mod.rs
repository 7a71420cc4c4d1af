//! `cluster playbook`

mod check;
mod engine;
mod options;
mod run;

use crate::context::Context;
use crate::exit::{Code, Result};
use clap::Subcommand;

pub(crate) use engine::{Engine, Settled, run_ansible};

/// Run any Ansible playbook, or check it without touching anything.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Box<run::Args>),
    Check(check::Args),
}

pub(crate) fn run(command: Command, context: &Context) -> Result<Code> {
    match command {
        Command::Run(args) => run::run(&args, context),
        Command::Check(args) => check::run(&args, context),
    }
}

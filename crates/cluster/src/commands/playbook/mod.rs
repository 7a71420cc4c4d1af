//! `cluster playbook`

mod ansible;
mod check;
mod engine;
mod failure;
mod options;
mod run;

use crate::context::Context;
use crate::exit::{Code, Result};
use clap::Subcommand;

pub(crate) use ansible::{Stdout, private_file, run_ansible, variables_file};
pub(crate) use engine::{Engine, Settled, read};
pub(crate) use failure::reason;

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

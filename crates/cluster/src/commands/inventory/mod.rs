//! `cluster inventory`

mod graph;
mod host;
mod list;

use crate::context::Context;
use crate::exit::{Code, Result};
use clap::Subcommand;

/// The machines, their groups and variables.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(list::Args),
    Graph(graph::Args),
    Host(host::Args),
}

pub(crate) fn run(command: Command, context: &Context) -> Result<Code> {
    match command {
        Command::List(args) => list::run(&args, context),
        Command::Graph(args) => graph::run(&args, context),
        Command::Host(args) => host::run(&args, context),
    }
}

//! `cluster catalog`

mod graph;
mod lint;
mod list;
mod schemas;
mod show;

use crate::context::Context;
use crate::exit::{Code, Result};
use clap::Subcommand;

/// The services that can be deployed.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(list::Args),
    Show(show::Args),
    Graph(graph::Args),
    Lint(lint::Args),
    Schemas(schemas::Args),
}

pub(crate) fn run(command: Command, context: &Context) -> Result<Code> {
    match command {
        Command::List(args) => list::run(&args, context),
        Command::Show(args) => show::run(&args, context),
        Command::Graph(args) => graph::run(&args, context),
        Command::Lint(args) => lint::run(&args, context),
        Command::Schemas(args) => schemas::run(&args, context),
    }
}

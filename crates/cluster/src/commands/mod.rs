//! One file per command; a folder where there are subcommands or steps.

mod catalog;
mod completion;
mod deploy;
mod inventory;
mod new;
pub(crate) mod playbook;
mod sandbox;
mod status;
mod vault;
mod version;

use crate::context::Context;
use crate::exit::{Code, Result};
use clap::Subcommand;

/// Every command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Deploy(deploy::Args),
    Status(status::Args),
    #[command(subcommand)]
    Catalog(catalog::Command),
    New(Box<new::Args>),
    #[command(subcommand)]
    Inventory(inventory::Command),
    #[command(subcommand)]
    Playbook(playbook::Command),
    #[command(subcommand)]
    Vault(vault::Command),
    #[command(subcommand)]
    Sandbox(sandbox::Command),
    Completion(completion::Args),
    Version(version::Args),
}

/// Whether the command is a process of the sandbox, whose standard error is its log.
pub(crate) fn is_service(command: &Command) -> bool {
    matches!(command, Command::Sandbox(sandbox::Command::Controller(_)))
}

/// Runs a command.
pub(crate) fn run(command: Command, context: &Context) -> Result<Code> {
    match command {
        Command::Deploy(args) => deploy::run(args, context),
        Command::Status(args) => status::run(&args, context),
        Command::Catalog(command) => catalog::run(command, context),
        Command::New(args) => new::run(&args, context),
        Command::Inventory(command) => inventory::run(command, context),
        Command::Playbook(command) => playbook::run(command, context),
        Command::Vault(command) => vault::run(command, context),
        Command::Sandbox(command) => sandbox::run(command, context),
        Command::Completion(args) => completion::run(&args, context),
        Command::Version(args) => version::run(&args, context),
    }
}

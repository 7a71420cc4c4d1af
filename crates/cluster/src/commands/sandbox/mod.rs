//! `cluster sandbox`

mod controller;
mod down;
mod env;
mod kubectl;
mod logs;
mod status;
mod up;

use crate::context::Context;
use crate::exit::{Code, Result};
use clap::Subcommand;

/// A real Kubernetes control plane on this machine, whose nodes are the inventory's machines, simulated.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Up(up::Args),
    Down(down::Args),
    Status(status::Args),
    Env(env::Args),
    Logs(logs::Args),
    Kubectl(kubectl::Args),
    #[command(hide = true)]
    Controller(controller::Args),
}

pub(crate) fn run(command: Command, context: &Context) -> Result<Code> {
    match command {
        Command::Up(args) => up::run(&args, context),
        Command::Down(args) => down::run(&args, context),
        Command::Status(args) => status::run(&args, context),
        Command::Env(args) => env::run(&args, context),
        Command::Logs(args) => logs::run(&args, context),
        Command::Kubectl(args) => kubectl::run(args, context),
        Command::Controller(args) => controller::run(&args, context),
    }
}

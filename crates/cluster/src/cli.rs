//! The arguments that every command takes, and the list of commands.

use crate::commands::Command;
use crate::passwords::VaultOptions;
use crate::target::Target;
use clap::{ArgAction, Args, Parser, ValueEnum};

/// Take bare Raspberry Pis and mini-PCs to a running, verified K3s cluster, and keep it healthy.
///
/// Start without hardware: `cluster sandbox up`, then `cluster deploy ollama --target sandbox`.
#[derive(Debug, Parser)]
#[command(name = "cluster", version, propagate_version = false, disable_help_subcommand = true, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Configuration file; by default the nearest `cluster.toml` in this folder or above it
    #[arg(long, global = true, env = "CLUSTER_CONFIG", hide_env_values = true, value_name = "FILE")]
    pub(crate) config: Option<camino::Utf8PathBuf>,

    /// Inventory: a file, a folder or a list of hosts with a comma; may be given several times
    #[arg(short, long, global = true, value_name = "PATH")]
    pub(crate) inventory: Vec<String>,

    /// The cluster to work on
    #[arg(long, global = true, env = "CLUSTER_TARGET", hide_env_values = true, value_enum, value_name = "TARGET")]
    pub(crate) target: Option<Target>,

    /// Form of the output: text for people, or one JSON object a line
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub(crate) output: Format,

    /// Show more: results (-v), commands (-vv), connections (-vvv)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Show only what was asked for, and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    #[command(flatten)]
    pub(crate) vault: VaultOptions,
}

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_declaration_is_consistent() {
        crate::command().debug_assert();
    }
}

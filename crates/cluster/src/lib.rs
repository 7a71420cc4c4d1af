//! The `cluster` command: its arguments, its configuration, its commands and its output. The work itself is done by the
//! other crates; nothing but [`output`] prints.

mod cli;
mod command_line;
mod commands;
mod config;
mod connection;
mod context;
mod exit;
mod in_memory;
mod interrupt;
mod logging;
mod output;
mod passwords;
mod prompt;
mod service_config;
mod target;

use clap::builder::Resettable;
use clap::{CommandFactory, FromArgMatches};
use cli::Cli;
use context::Context;
use exit::Code;
use interrupt::Signals;
use output::Output;
use std::ffi::OsString;
use std::process::ExitCode;

/// The command-line interface, for the generated reference and its tests.
pub fn command() -> clap::Command {
    without_full_stops(Cli::command())
}

/// The JSON schema of every event, for the generated reference and its tests.
pub fn events_schema() -> serde_json::Value {
    schemars::schema_for!(output::Event).to_value()
}

/// A list of commands reads like a list: their summaries end without the full stop that their source has.
fn without_full_stops(mut command: clap::Command) -> clap::Command {
    if let Some(about) = command.get_about().map(ToString::to_string) {
        command = command.about(about.trim_end_matches('.').to_owned());
    }
    command.mut_subcommands(without_full_stops)
}

/// A variable that is set to nothing says nothing: `CLUSTER_TARGET= cluster …`.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    command.mut_args(|argument| {
        let is_empty = argument.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
        if is_empty { argument.env(Resettable::Reset) } else { argument }
    })
}

/// Runs the command that the arguments name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let signals = Signals::catch();
    let parsed = without_empty_variables(command())
        .try_get_matches_from(arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let output = Output::new(&cli.global);
    logging::start(&output, commands::is_service(&cli.command));
    let ended = Context::new(&cli.global, output.clone()).and_then(|context| {
        if let Some(signals) = signals {
            signals.answer(output.clone(), context.again());
        }
        commands::run(cli.command, &context)
    });
    let code = match ended {
        Ok(code) => code,
        Err(error) => {
            output.error(error.as_ref());
            exit::Code::from(error.exit())
        }
    };
    output.finish(code).into()
}

/// clap's own message; a reader who closed the pipe (`cluster --help | head -1`) is no failure.
fn usage(error: &clap::Error) -> ExitCode {
    let code = Code::raw(u8::try_from(error.exit_code()).unwrap_or(2));
    output::ended(code, error.print()).into()
}

//! `docs/reference/cli.md` is what the declaration of the command line says.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use clap::{Arg, Command};
use std::fmt::Write;
use std::fs;

const HEAD: &str = "<!-- Generated from the declaration of the command line: change it there, then run `make docs`. -->

# Command line

Exit codes: 0 done; 1 the deployment or check failed; 2 wrong usage or configuration, nothing was touched; 3 a host can not be
reached; 4 the service came up but its verification failed; 130 interrupted. `cluster playbook run` has ansible-playbook's
codes: 0 done, 1 error, 2 hosts failed, 4 hosts unreachable or a playbook that can't be read; and 2 for a playbook that no
installed engine runs.

Flags beat environment variables, and these beat `cluster.toml`.
";

/// `UPDATE_DOCS=1 cargo test -p cluster` writes the file anew.
#[test]
fn the_committed_reference_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/cli.md");
    let wanted = reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, &wanted).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    let stale = committed.lines().zip(wanted.lines()).find(|(committed, wanted)| committed != wanted);
    assert!(committed == wanted, "{path} is stale: run `make docs`; first difference: {stale:?}");
}

#[test]
fn every_command_has_a_summary_and_every_option_its_help() {
    visit(&cluster::command(), &mut |path, command| {
        assert!(command.get_about().is_some(), "{path}: no summary");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{path}: {} has no help", argument.get_id());
        }
    });
}

fn reference() -> String {
    let command = cluster::command();
    let mut text = HEAD.to_owned();
    text.push_str("\n## Options that every command takes\n\n");
    text.push_str(&table(command.get_arguments().filter(|argument| argument.is_global_set())));
    visit(&command, &mut |path, command| {
        if path.contains(' ') {
            text.push_str(&section(path, command));
        }
    });
    text
}

/// Every command that people see, with its full name, from the root down.
fn visit(command: &Command, each: &mut impl FnMut(&str, &Command)) {
    fn below(path: &str, command: &Command, each: &mut impl FnMut(&str, &Command)) {
        each(path, command);
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            below(&format!("{path} {}", sub.get_name()), sub, each);
        }
    }
    below(command.get_name(), command, each);
}

fn section(path: &str, command: &Command) -> String {
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let (about, examples) = about.split_once("Examples:\n").unwrap_or((&about, ""));
    let mut text = format!("\n{} {path}\n\n{}\n", "#".repeat(path.split(' ').count()), sentence(about));
    if command.has_subcommands() {
        return text;
    }
    let usage = command.clone().bin_name(path).render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    write!(text, "\n```sh\n{usage}\n```\n").unwrap();
    if !examples.is_empty() {
        let lines: Vec<_> = examples.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        write!(text, "\nExamples:\n\n```sh\n{}\n```\n", lines.join("\n")).unwrap();
    }
    let own: Vec<_> = command.get_arguments().filter(|argument| !argument.is_global_set()).collect();
    if !own.is_empty() {
        write!(text, "\n{}", table(own.into_iter())).unwrap();
    }
    text
}

/// Summaries of commands with subcommands are titles.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', ':', '`']) { text.to_owned() } else { format!("{text}.") }
}

fn table<'a>(arguments: impl Iterator<Item = &'a Arg>) -> String {
    let rows = arguments.filter(|argument| !argument.is_hide_set() && argument.get_id() != "help").map(row);
    format!("| Argument | Meaning |\n|---|---|\n{}", rows.collect::<String>())
}

fn row(argument: &Arg) -> String {
    format!("| {} | {} |\n", names(argument), meaning(argument).replace('|', "\\|"))
}

/// `-l`, `--limit PATTERN`
fn names(argument: &Arg) -> String {
    let takes_value = argument.get_action().takes_values();
    let value = argument.get_value_names().filter(|_| takes_value).map(|names| names.join(" ")).unwrap_or_default();
    let Some(long) = argument.get_long() else { return format!("`{value}`") };
    let long = format!("`--{long} {value}").trim_end().to_owned() + "`";
    argument.get_short().map_or_else(|| long.clone(), |short| format!("`-{short}`, {long}"))
}

fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut parts: Vec<String> = help.split("\n\n").map(|part| part.replace('\n', " ")).collect();
    let values: Vec<_> = argument.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    if argument.get_action().takes_values() && !values.is_empty() {
        parts.push(format!("One of {}", values.join(", ")));
    }
    if let Some(default) = argument.get_default_values().first().filter(|_| argument.get_action().takes_values()) {
        parts.push(format!("Default: `{}`", default.to_string_lossy()));
    }
    if let Some(variable) = argument.get_env() {
        parts.push(format!("Environment: `{}`", variable.to_string_lossy()));
    }
    parts.join(". ")
}

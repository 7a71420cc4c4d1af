//! A playbook's tasks.

use super::deploy::warning;
use super::diff;
use diagnostic::Mistake;
use owo_colors::{OwoColorize, Style};
use playbook::event::{Counts, Event as Task, Status};
use serde_json::{Map, Value};
use std::fmt::Write;

/// Whether a task that begins is there to say something; `None` for every other event.
pub(super) fn speaks(event: &Task) -> Option<bool> {
    match event {
        Task::TaskStarted { module, .. } => Some(module.rsplit('.').next() == Some("debug")),
        _ => None,
    }
}

/// Whether something failed for good.
pub(super) fn is_failure(event: &Task) -> bool {
    matches!(event, Task::TaskFinished { status: Status::Failed | Status::Unreachable, .. })
}

/// Whether nothing failed and nothing changed by it.
pub(super) fn goes_well(event: &Task) -> bool {
    match event {
        Task::TaskFinished { status, .. } | Task::ItemFinished { status, .. } => {
            matches!(status, Status::Ok | Status::Skipping | Status::Ignored)
        }
        Task::PlayStarted { .. } | Task::TaskStarted { .. } | Task::Included { .. } | Task::Recap { .. } => true,
        Task::NoHosts { .. } | Task::TaskRetried { .. } | Task::Warning { .. } => false,
    }
}

/// The event's lines. `speaks`: whether the task says something when all is well.
pub(super) fn render(event: &Task, verbosity: u8, speaks: bool) -> String {
    match event {
        Task::PlayStarted { play, hosts } => {
            let count = if hosts.len() == 1 { "1 host".to_owned() } else { format!("{} hosts", hosts.len()) };
            format!("{} ({count})", format!("PLAY [{play}]").bold())
        }
        Task::NoHosts { play } => format!("{} no host matches", format!("PLAY [{play}]").bold()),
        Task::TaskStarted { task, module, .. } if verbosity > 1 => format!("TASK [{task}] {module}"),
        Task::TaskStarted { .. } => String::new(),
        Task::ItemFinished { host, task, status, item, result, duration_seconds, .. } => {
            let title = format!("{task} (item={item})");
            finished(host, &title, *status, result, *duration_seconds, verbosity, speaks)
        }
        Task::TaskFinished { host, task, status, result, duration_seconds, .. } => {
            // What a loop says, its items said.
            let speaks = speaks && !result.contains_key("results");
            finished(host, task, *status, result, *duration_seconds, verbosity, speaks)
        }
        Task::TaskRetried { host, task, attempt, retries_left, .. } => {
            format!("{}: [{host}] {task} (attempt {attempt}, {retries_left} left)", "retrying".cyan())
        }
        Task::Included { file, hosts, item } => {
            let item = item.as_deref().map_or_else(String::new, |item| format!(" (item={item})"));
            format!("included: {file} for {}{item}", hosts.join(", "))
        }
        Task::Warning { message } => warning(message),
        Task::Recap { hosts, .. } => {
            let lines: Vec<_> = hosts.iter().map(|(host, counts)| recap(host, counts)).collect();
            lines.join("\n")
        }
    }
}

/// The mistake behind a failure.
pub(super) fn explanation(event: &Task) -> Option<&Mistake> {
    match event {
        Task::TaskFinished { status: Status::Failed | Status::Unreachable, diagnostic, .. }
        | Task::ItemFinished { status: Status::Failed | Status::Unreachable, diagnostic, .. } => diagnostic.as_ref(),
        _ => None,
    }
}

fn finished(
    host: &str,
    title: &str,
    status: Status,
    result: &Map<String, Value>,
    seconds: f64,
    verbosity: u8,
    speaks: bool,
) -> String {
    // The recap counts what was passed over; by itself it is worth no line.
    if status == Status::Skipping && verbosity == 0 {
        return String::new();
    }
    let (word, style) = status_word(status);
    let mut text = format!("{}: [{host}] {title}", word.style(style));
    if seconds >= 0.1 {
        let _infallible = write!(text, " {}", format!("{seconds:.1}s").dimmed());
    }
    if let Some(message) = message_of(status, result, speaks && verbosity == 0) {
        let _infallible = write!(text, "\n{}", indented(&message));
    }
    if let Some(found) = result.get("diff") {
        text.push_str(&diff::render(found));
    }
    if verbosity > 0 && status != Status::Skipping {
        let json = serde_json::to_string_pretty(result).unwrap_or_default();
        let _infallible = write!(text, "\n{}", indented(&json).dimmed());
    }
    text
}

fn status_word(status: Status) -> (&'static str, Style) {
    match status {
        Status::Ok => ("ok", Style::new().green()),
        Status::Changed => ("changed", Style::new().yellow()),
        Status::Skipping => ("skipping", Style::new().cyan()),
        Status::Failed => ("failed", Style::new().red()),
        Status::Unreachable => ("unreachable", Style::new().red()),
        Status::Ignored => ("ignored", Style::new().cyan()),
        Status::Rescued => ("rescued", Style::new().yellow()),
    }
}

/// What a task has to say without being asked: its failure, or what `debug` was told to show.
fn message_of(status: Status, result: &Map<String, Value>, speaks: bool) -> Option<String> {
    let text = |key: &str| result.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    match status {
        Status::Failed | Status::Unreachable | Status::Ignored | Status::Rescued => {
            let parts = [text("msg"), text("stderr"), text("stdout")];
            let said: Vec<_> = parts.into_iter().flatten().collect();
            (!said.is_empty()).then(|| said.join("\n"))
        }
        Status::Ok | Status::Changed if speaks => {
            let quiet = ["changed", "failed", "item", "ansible_loop_var"];
            let shown = result.iter().filter(|(key, _)| !key.starts_with('_') && !quiet.contains(&key.as_str()));
            let lines = shown.map(|(key, value)| match value {
                Value::String(text) if key == "msg" => text.clone(),
                other => format!("{key}: {other:#}"),
            });
            Some(lines.collect::<Vec<_>>().join("\n")).filter(|text| !text.is_empty())
        }
        _ => None,
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// Ansible's line of the recap.
fn recap(host: &str, counts: &Counts) -> String {
    let Counts { ok, changed, unreachable, failed, skipped, rescued, ignored } = counts;
    let line = format!(
        "{host:<26} : ok={ok:<4} changed={changed:<4} unreachable={unreachable:<4} failed={failed:<4} skipped={skipped:<4} \
         rescued={rescued:<4} ignored={ignored:<4}"
    );
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[test]
    fn a_failure_shows_all_that_the_program_said() {
        let result =
            json!({"changed": true, "msg": "non-zero return code", "rc": 1, "stderr": "Error: chart not found\n"});
        let text = finished("amd-build", "Install ollama", Status::Failed, result.as_object().unwrap(), 0.0, 0, false);
        assert_eq!(
            anstream::adapter::strip_str(&text).to_string(),
            "failed: [amd-build] Install ollama\n    non-zero return code\n    Error: chart not found"
        );
    }

    #[rstest]
    #[case(json!({"msg": "hello", "changed": false}), "ok: [pi-1] Say it\n    hello")]
    #[case(json!({"msg": "", "changed": false}), "ok: [pi-1] Say it")]
    #[case(json!({"port": 80, "changed": false, "failed": false}), "ok: [pi-1] Say it\n    port: 80")]
    fn debug_says_what_it_was_told_to(#[case] result: Value, #[case] expected: &str) {
        let text = finished("pi-1", "Say it", Status::Ok, result.as_object().unwrap(), 0.0, 0, true);
        assert_eq!(anstream::adapter::strip_str(&text).to_string(), expected);
    }

    #[test]
    fn the_recap_is_ansibles() {
        let counts = Counts { ok: 3, changed: 1, ..Counts::default() };
        let expected = "amd-build                  : ok=3    changed=1    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0";
        assert_eq!(recap("amd-build", &counts), expected);
    }
}

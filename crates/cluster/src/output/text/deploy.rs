//! A deployment's own steps.

use super::diff;
use crate::output::event::{DeployEvent, Summary, Tally};
use kubernetes::verify::{Check, Verdict};
use owo_colors::OwoColorize;
use std::fmt::Write;

/// The event's lines.
pub(super) fn render(event: &DeployEvent, condensed: bool) -> String {
    match event {
        DeployEvent::TargetChosen { target, description, source } => {
            let source = source.as_ref().map_or_else(String::new, |source| format!("\n{} {source}", "Source:".bold()));
            format!("{} {target}: {description}{source}", "Target:".bold())
        }
        DeployEvent::Planned { services, check_mode } => {
            let mode = if *check_mode { " (check mode: nothing is changed)" } else { "" };
            let services = if services.len() > 2 { services.join(", ") } else { services.join(", then ") };
            format!("{} deploy {services}{mode}", "Plan:  ".bold())
        }
        DeployEvent::ServiceStarted { service, playbook } => {
            format!("\n{} {service} ({playbook})", "Deploying".bold())
        }
        DeployEvent::Recovered { release, message } => format!("{}: [{release}] {message}", "recovered".yellow()),
        DeployEvent::ReleaseDiffers { service, before, after } => {
            let headers = [format!("{service} (live)"), format!("{service} (wanted)")];
            diff::unified(before, after, &headers[0], &headers[1]).trim_start().to_owned()
        }
        DeployEvent::Checked { check, .. } => checked(check),
        DeployEvent::ServiceFinished(summary) if condensed => headline(summary),
        DeployEvent::ServiceFinished(summary) => self::summary(summary),
        DeployEvent::ServiceChecked { service, would_change } => verdict(service, *would_change),
        DeployEvent::ServiceFailed { .. } => String::new(),
        DeployEvent::ServiceNotRun { reason, .. } => format!("{}: {reason}", "not run".cyan()),
        DeployEvent::Finished(tally) => self::tally(tally),
        DeployEvent::Warning { message } => warning(message),
        DeployEvent::Notice { message } => message.clone(),
    }
}

/// What check mode found.
fn verdict(service: &str, would_change: bool) -> String {
    match would_change {
        true => format!("\n{} would change: run it without `--check`", service.bold()),
        false => format!("\n{} would not change", service.bold()),
    }
}

fn checked(check: &Check) -> String {
    match &check.verdict {
        Verdict::Passed { seen } => format!("{}: {}: {seen}", "passed".green(), check.check),
        Verdict::Failed { seen } => format!("{}: {}: {seen}", "failed".red(), check.check),
        Verdict::NotRun { reason } => format!("{}: {reason}: {}", "not run".cyan(), check.check),
    }
}

pub(super) fn warning(message: &str) -> String {
    format!("{}: {message}", "warning".yellow())
}

fn verified(passed: usize, not_run: usize) -> String {
    let checks = if passed == 1 { "1 check passed".to_owned() } else { format!("{passed} checks passed") };
    match (passed, not_run) {
        (0, 0) => "nothing was checked".to_owned(),
        (_, 0) => checks,
        (_, not_run) => format!("{checks}, {not_run} not run"),
    }
}

fn headline(summary: &Summary) -> String {
    let state = if summary.changed { "deployed".yellow().to_string() } else { "unchanged".green().to_string() };
    let (seconds, revision, chart) = (summary.duration_seconds, summary.revision, &summary.chart);
    let verified = verified(summary.passed, summary.not_run);
    format!("{state} in {seconds:.1}s: release revision {revision}, chart {chart}, verified: {verified}")
}

/// The services by what became of them; kinds of which there is none are left out.
fn tally(tally: &Tally) -> String {
    let kinds = [
        ("deployed", &tally.deployed),
        ("unchanged", &tally.unchanged),
        ("checked", &tally.checked),
        ("failed", &tally.failed),
        ("interrupted", &tally.interrupted),
        ("not run", &tally.not_run),
        ("not begun", &tally.not_begun),
    ];
    let ended = if tally.is_whole() { "Finished" } else { "Stopped" };
    let mut text = format!("\n{} after {:.1}s", ended.bold(), tally.duration_seconds);
    for (kind, names) in kinds.into_iter().filter(|(_, names)| !names.is_empty()) {
        let _infallible = write!(text, "\n  {:<11} {:>3}  {}", kind, names.len(), names.join(", "));
    }
    text
}

fn summary(summary: &Summary) -> String {
    let state = if summary.changed { "deployed" } else { "unchanged" };
    let mut text = format!(
        "\n{} {state} in {:.1}s: release revision {} ({}), chart {}, namespace {}",
        summary.service.bold(),
        summary.duration_seconds,
        summary.revision,
        summary.status,
        summary.chart,
        summary.namespace
    );
    for node in &summary.pods {
        let _infallible = write!(text, "\n  pods on {}: {}", node.node, node.pods.join(", "));
    }
    for address in &summary.addresses {
        let _infallible = write!(text, "\n  {:<12} {}", address.kind, address.address);
    }
    let _infallible = write!(text, "\n  verified: {}", verified(summary.passed, summary.not_run));
    let _infallible = write!(text, "\n  next: {}", summary.next);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_was_interrupted_did_not_finish() {
        let mut whole = Tally { deployed: vec!["hub".to_owned()], duration_seconds: 0.9, ..Tally::default() };
        assert!(tally(&whole).contains("Finished"));
        whole.interrupted.push("store".to_owned());
        let text = tally(&whole);
        assert!(text.contains("Stopped") && text.contains("  interrupted   1  store"), "{text}");
    }
}

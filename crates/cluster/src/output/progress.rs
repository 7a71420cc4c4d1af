//! The one moving line of a terminal: what runs right now, and for how long. Finished lines scroll away above it.

use super::text::told;
use super::{DeployEvent, Event};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

/// How often the line is redrawn.
const TICK: Duration = Duration::from_millis(120);

/// The moving line, or nothing where nobody watches.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    hosts: BTreeSet<String>,
    waiting: BTreeSet<String>,
    /// Of several services, those that are at work.
    services: BTreeSet<String>,
}

impl Progress {
    /// `lively`: whether there is a terminal to move in.
    pub(crate) fn new(lively: bool) -> Self {
        Self { bar: lively.then(bar), running: Mutex::default() }
    }

    /// Keeps the line true.
    /// `service`: which of several the event is of.
    pub(crate) fn follow(&self, event: &Event, service: Option<&str>) {
        let Some(bar) = &self.bar else { return };
        let mut running = self.running.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let message = match service {
            Some(service) => beside(event, service, &mut running),
            None => message(event, &mut running),
        };
        let Some(message) = message else { return };
        bar.reset_elapsed();
        bar.set_message(message);
        bar.enable_steady_tick(TICK);
    }

    /// Runs `write` while the line is out of the way.
    pub(crate) fn suspended(&self, write: impl FnOnce()) {
        match &self.bar {
            // A line that says nothing yet would be drawn by this.
            Some(bar) if !bar.message().is_empty() => bar.suspend(write),
            _ => write(),
        }
    }

    /// Removes the line.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

/// What the line says while several services are at work: their names.
fn beside(event: &Event, service: &str, running: &mut Running) -> Option<String> {
    let changed = match event {
        Event::Deploy(
            DeployEvent::ServiceFinished(_)
            | DeployEvent::ServiceChecked { .. }
            | DeployEvent::ServiceFailed { .. }
            | DeployEvent::ServiceNotRun { .. },
        ) => running.services.remove(service),
        _ => running.services.insert(service.to_owned()),
    };
    let names: Vec<_> = running.services.iter().map(String::as_str).collect();
    (changed && !names.is_empty()).then(|| format!("deploying {}", shortened(&names)))
}

/// What the line says after this event; `None` leaves it as it is.
fn message(event: &Event, running: &mut Running) -> Option<String> {
    use playbook::event::Event as Task;
    match event {
        Event::Playbook(Task::PlayStarted { hosts, .. }) => {
            running.hosts = hosts.iter().cloned().collect();
            None
        }
        Event::Playbook(Task::TaskStarted { task, .. }) => {
            let hosts: Vec<_> = running.hosts.iter().map(String::as_str).collect();
            Some(format!("{task} on {}", shortened(&hosts)))
        }
        Event::Rollout(kubernetes::Event::RolloutProgress { workload, progress }) => {
            if progress.done {
                running.waiting.remove(workload);
            } else {
                running.waiting.insert(workload.clone());
            }
            let waiting: Vec<_> = running.waiting.iter().map(String::as_str).collect();
            Some(format!("rollout of {}", shortened(&waiting)))
        }
        Event::Sandbox(event) => Some(format!("sandbox: {}", told(event))),
        Event::Playbook(_) | Event::Rollout(_) | Event::Deploy(_) => None,
    }
}

/// At most three names.
fn shortened(names: &[&str]) -> String {
    match names {
        [a, b, c, rest @ ..] if !rest.is_empty() => format!("{a}, {b}, {c} and {} more", rest.len()),
        names => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_shortened() {
        assert_eq!(shortened(&["a", "b", "c"]), "a, b, c");
        assert_eq!(shortened(&["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
    }
}

//! Events as lines for people. Status words and recap are Ansible's; nothing is told by colour alone.

mod deploy;
mod diff;
mod playbook;
mod rollout;
mod sandbox;

use super::event::{DeployEvent, Event};
use diagnostic::Mistake;
pub(super) use sandbox::told;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the event is what the command was run for, and so goes to standard output.
pub(crate) fn is_result(event: &Event) -> bool {
    matches!(
        event,
        Event::Deploy(DeployEvent::ServiceFinished(_) | DeployEvent::ServiceChecked { .. } | DeployEvent::Finished(_))
    )
}

/// Whether the event is shown even with `-q`: results, and failures.
pub(crate) fn is_wanted_in_quiet(event: &Event) -> bool {
    is_result(event) || matches!(event, Event::Playbook(event) if playbook::is_failure(event))
}

/// Whether the summary says enough of it.
fn goes_well(event: &Event) -> bool {
    match event {
        Event::Playbook(event) => playbook::goes_well(event),
        Event::Rollout(kubernetes::Event::RolloutProgress { .. }) => true,
        Event::Deploy(DeployEvent::ServiceStarted { .. }) => true,
        Event::Deploy(DeployEvent::Checked { check, .. }) => !check.verdict.is_failed(),
        Event::Rollout(_) | Event::Sandbox(_) | Event::Deploy(_) => false,
    }
}

/// What explains a failure with its place, when that is in a file and not in what a program said.
pub(crate) fn explanation(event: &Event) -> Option<&Mistake> {
    match event {
        Event::Playbook(event) => playbook::explanation(event),
        Event::Rollout(_) | Event::Sandbox(_) | Event::Deploy(_) => None,
    }
}

/// Renders one event after the other.
pub(crate) struct Renderer {
    verbosity: u8,
    /// Whether what goes well is left to the summary: one of several services.
    condensed: bool,
    /// Whether the task that runs was written to say something; its end does not name its module.
    speaks: AtomicBool,
}

impl Renderer {
    /// For this many `-v`.
    pub(crate) fn new(verbosity: u8) -> Self {
        Self { verbosity, condensed: false, speaks: AtomicBool::new(false) }
    }

    /// For one of several services: without `-v` only what changed or went wrong.
    pub(crate) fn condensed(verbosity: u8) -> Self {
        Self { condensed: verbosity == 0, ..Self::new(verbosity) }
    }

    /// The event's lines; empty when it is not worth one at this verbosity.
    pub(crate) fn render(&self, event: &Event) -> String {
        if self.condensed && goes_well(event) {
            return String::new();
        }
        match event {
            Event::Playbook(event) => {
                if let Some(speaks) = playbook::speaks(event) {
                    self.speaks.store(speaks, Ordering::Relaxed);
                }
                playbook::render(event, self.verbosity, self.speaks.load(Ordering::Relaxed))
            }
            Event::Rollout(event) => rollout::render(event),
            Event::Sandbox(event) => sandbox::render(event, self.verbosity),
            Event::Deploy(event) => deploy::render(event, self.condensed),
        }
    }
}

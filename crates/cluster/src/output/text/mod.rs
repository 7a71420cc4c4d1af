//! Events as lines for people. Status words and recap are Ansible's; nothing is told by colour alone.

mod deploy;
mod diff;
mod playbook;
mod rollout;
mod sandbox;

use super::event::{DeployEvent, Event};
use diagnostic::Mistake;
pub(super) use sandbox::told;

/// Whether the event is what the command was run for, and so goes to standard output.
pub(crate) fn is_result(event: &Event) -> bool {
    matches!(event, Event::Deploy(DeployEvent::ServiceFinished(_)))
}

/// What explains a failure with its place, when that is in a file and not in what a program said.
pub(crate) fn explanation(event: &Event) -> Option<&Mistake> {
    match event {
        Event::Playbook(event) => playbook::explanation(event),
        Event::Rollout(_) | Event::Sandbox(_) | Event::Deploy(_) => None,
    }
}

/// The event's lines; empty when it is not worth one at this verbosity.
pub(crate) fn render(event: &Event, verbosity: u8) -> String {
    match event {
        Event::Playbook(event) => playbook::render(event, verbosity),
        Event::Rollout(event) => rollout::render(event),
        Event::Sandbox(event) => sandbox::render(event, verbosity),
        Event::Deploy(event) => deploy::render(event),
    }
}

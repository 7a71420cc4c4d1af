//! Events as lines for people. Status words and recap are Ansible's; nothing is told by colour alone.

mod deploy;
mod diff;
mod playbook;
mod rollout;
mod sandbox;

use super::event::{DeployEvent, Event};
pub(super) use sandbox::told;

/// Whether the event is what the command was run for, and so goes to standard output.
pub(crate) fn is_result(event: &Event) -> bool {
    matches!(event, Event::Deploy(DeployEvent::ServiceFinished(_)))
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

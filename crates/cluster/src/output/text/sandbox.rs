//! The sandbox's components coming and going.

use sandbox::Event;

/// The event's line; what only matters when something hangs, from `-v` on.
pub(super) fn render(event: &Event, verbosity: u8) -> String {
    match event {
        Event::ComponentStarting { .. } | Event::ComponentStopping { .. } if verbosity == 0 => String::new(),
        event => format!("sandbox: {}", told(event)),
    }
}

/// The event in words.
pub(in crate::output) fn told(event: &Event) -> String {
    match event {
        Event::WaitingForLock { holder: Some(pid) } => format!("waiting for process {pid}, which is at work on it"),
        Event::WaitingForLock { holder: None } => "waiting for another process, which is at work on it".to_owned(),
        Event::AlreadyUp { nodes } => format!("up already, {nodes} nodes; nothing changed"),
        Event::ComponentLost { component } => format!("{component} was lost"),
        Event::ComponentStarting { component, pid } => format!("starting {component} (process {pid})"),
        Event::ComponentReady { component, elapsed } => {
            format!("{component} is ready after {:.1}s", elapsed.as_secs_f64())
        }
        Event::NodesChanged { created, updated, deleted } => {
            format!("nodes: {created} created, {updated} updated, {deleted} deleted")
        }
        Event::NodesReady { nodes, elapsed } => format!("{nodes} nodes are ready after {:.1}s", elapsed.as_secs_f64()),
        Event::Up { elapsed } => format!("up after {:.1}s", elapsed.as_secs_f64()),
        Event::ComponentStopping { component, pid } => format!("ending {component} (process {pid})"),
        Event::Down { stopped: 0 } => "nothing was left to end".to_owned(),
        Event::Down { stopped } => format!("down: {stopped} processes ended, no file left"),
    }
}

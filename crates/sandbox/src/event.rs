//! What happens while a sandbox comes up or goes down.

use crate::Component;
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

/// One step, for progress.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Another process is at work on this sandbox; waiting for it to be done.
    WaitingForLock {
        /// That process.
        holder: Option<i32>,
    },
    /// Everything was up already and nothing was changed.
    AlreadyUp {
        /// How many nodes.
        nodes: usize,
    },
    /// A component was up before and is not any more: it will be started again.
    ComponentLost {
        /// Which one.
        component: Component,
    },
    /// A component was started.
    ComponentStarting {
        /// Which one.
        component: Component,
        /// Its process id.
        pid: i32,
    },
    /// A component does its work.
    ComponentReady {
        /// Which one.
        component: Component,
        /// Since `up` began.
        #[serde(serialize_with = "seconds")]
        #[schemars(with = "f64")]
        elapsed: Duration,
    },
    /// Nodes were made, changed or deleted.
    NodesChanged {
        /// Made.
        created: usize,
        /// Changed to what the inventory says now.
        updated: usize,
        /// Gone from the inventory.
        deleted: usize,
    },
    /// All nodes take pods.
    NodesReady {
        /// How many.
        nodes: usize,
        /// Since `up` began.
        #[serde(serialize_with = "seconds")]
        #[schemars(with = "f64")]
        elapsed: Duration,
    },
    /// The sandbox can be used.
    Up {
        /// Since `up` began.
        #[serde(serialize_with = "seconds")]
        #[schemars(with = "f64")]
        elapsed: Duration,
    },
    /// A component was told to end.
    ComponentStopping {
        /// Which one.
        component: Component,
        /// Its process id.
        pid: i32,
    },
    /// No process and no file is left.
    Down {
        /// How many processes were ended.
        stopped: usize,
    },
}

/// Durations are seconds as numbers in every event of the program.
fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 1000.0).round() / 1000.0)
}

/// Takes events.
pub type Tell<'a> = &'a (dyn Fn(Event) + Send + Sync);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_flat_objects() {
        let event = Event::ComponentReady { component: Component::Etcd, elapsed: Duration::from_millis(1234) };
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"event":"component_ready","component":"etcd","elapsed":1.234}"#
        );
    }
}

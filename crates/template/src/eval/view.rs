//! A mapping whose members are variables: `hostvars`, a host in it, `vars`.

use super::session::Session;
use crate::error::Error;
use crate::value::{Key, Map};
use crate::{Scope, Value};
use std::sync::Arc;

/// The variables of a scope as a dictionary; each is rendered, in its own scope, when it is asked for.
pub struct View(Arc<Session>);

/// A host's variables lead to all hosts again: who goes through all members does not go there (ansible-core leaves
/// `hostvars` out of the variables in `hostvars`).
const CYCLES: [&str; 2] = ["hostvars", "vars"];

impl View {
    pub(crate) fn new(session: &Session, scope: Arc<dyn Scope>) -> Self {
        Self(session.in_scope(scope))
    }

    pub(crate) fn get(&self, name: &str) -> Option<Result<Value, Error>> {
        self.0.variable(name)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.scope().get(name).is_some()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = self.0.scope().names();
        names.retain(|name| !CYCLES.contains(&name.as_str()));
        names
    }

    /// All members; what can't be rendered stands as a marker.
    pub(crate) fn members(&self) -> Map {
        let member = |name: String| {
            let value = self.get(&name)?.map_or_else(Value::marker, super::force);
            Some((Key::from(name), value))
        };
        self.names().into_iter().filter_map(member).collect()
    }
}

//! `hostvars`: the variables of every host, each looked up when it is asked for.

use super::{Host, Scope, Wanted, World};
use std::sync::Arc;
use template::Variable;

/// Host names to their variables. As in Ansible a host's variables here are those that do not depend on a play or task.
pub(crate) struct HostVars {
    world: Arc<World>,
    wanted: Arc<Wanted>,
}

impl HostVars {
    pub(crate) fn of(scope: &Scope) -> Self {
        Self { world: Arc::clone(&scope.world), wanted: Arc::clone(&scope.wanted) }
    }

    fn scope(&self, host: Arc<Host>) -> Scope {
        Scope { host: Some(host), wanted: Arc::clone(&self.wanted), ..Scope::of_world(&self.world) }
    }
}

impl template::Scope for HostVars {
    fn get(&self, name: &str) -> Option<Variable> {
        let host =
            self.world.find(name).or_else(|| super::world::LOCALHOST.contains(&name).then(|| self.world.host(name)))?;
        Some(Variable::Scope(Arc::new(self.scope(host))))
    }

    fn names(&self) -> Vec<String> {
        self.world.names().map(str::to_owned).collect()
    }
}

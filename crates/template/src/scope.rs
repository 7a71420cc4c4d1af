//! Where templates find their variables.

use crate::Value;
use std::collections::HashMap;
use std::sync::Arc;
use yaml::Node;

/// The variables that a template sees. Asked by name, so that building one costs nothing.
pub trait Scope: Send + Sync {
    /// The variable of that name.
    fn get(&self, name: &str) -> Option<Variable>;

    /// All names, for hints and for whoever goes through `vars` or `hostvars`.
    fn names(&self) -> Vec<String>;
}

/// One variable.
#[derive(Clone)]
pub enum Variable {
    /// What a person wrote: its strings are templates, rendered each time they are used.
    Authored(Arc<Node>),
    /// The result of a module, a fact, a loop's item: never a template, whatever braces it holds.
    Data(Value),
    /// A mapping whose members are variables of their own (`hostvars`, and each host in it), rendered in that scope.
    Scope(Arc<dyn Scope>),
}

impl From<Value> for Variable {
    fn from(value: Value) -> Self {
        Self::Data(value)
    }
}

impl From<Node> for Variable {
    fn from(node: Node) -> Self {
        Self::Authored(Arc::new(node))
    }
}

impl From<serde_json::Value> for Variable {
    fn from(json: serde_json::Value) -> Self {
        Self::Data(Value::from(json))
    }
}

/// Variables in a table.
#[derive(Clone, Default)]
pub struct Variables(HashMap<String, Variable>);

impl Variables {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces one.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Variable>) {
        self.0.insert(name.into(), value.into());
    }
}

impl Scope for Variables {
    fn get(&self, name: &str) -> Option<Variable> {
        self.0.get(name).cloned()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.0.keys().cloned().collect();
        names.sort();
        names
    }
}

/// One scope before another: what the first has hides what the second has.
pub struct Layered {
    /// Asked first.
    pub first: Arc<dyn Scope>,
    /// Asked for the rest.
    pub rest: Arc<dyn Scope>,
}

impl Scope for Layered {
    fn get(&self, name: &str) -> Option<Variable> {
        self.first.get(name).or_else(|| self.rest.get(name))
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.first.names();
        names.extend(self.rest.names());
        names.sort();
        names.dedup();
        names
    }
}

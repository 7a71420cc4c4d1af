//! Whether the handlers exist that tasks notify.

use super::items::Checker;
use super::templates;
use crate::load::{Task, fields, problems};
use std::sync::Arc;
use yaml::Node;

/// Names by which handlers can be notified.
pub(crate) struct Names {
    names: Vec<String>,
    /// Whether some names are templates, or handlers come from files that are read later, so that more names are possible.
    is_open: bool,
}

impl Names {
    pub(super) fn of(handlers: &[Arc<Task>]) -> Self {
        let nodes = || handlers.iter().flat_map(|handler| handler.name().into_iter().chain(&handler.listen));
        let names = nodes().filter_map(Node::as_str).map(str::to_owned).collect();
        Self { names, is_open: nodes().any(fields::holds_template) }
    }
}

impl Checker<'_> {
    /// Checks what a `notify` names.
    pub(super) fn notified(&mut self, nodes: &[Node]) {
        for node in nodes {
            templates::node(node, self.problems);
            let (Some(known), Some(name)) = (&self.handlers, node.as_str()) else { continue };
            if known.is_open || fields::is_template(name) || known.names.iter().any(|known| known == name) {
                continue;
            }
            let hint = problems::did_you_mean(name, known.names.iter().map(String::as_str));
            let hint = hint.or_else(|| Some(format!("add it to the play: `handlers: [{{name: {name}, …}}]`")));
            let message = format!("no handler is called `{name}` or listens to it");
            self.problems.hinted(&node.position, message, hint);
        }
    }
}

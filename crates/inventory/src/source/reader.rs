//! What all kinds of sources do to the graph, and what they find wrong or odd.

use super::Origin;
use crate::HostName;
use crate::graph::{Graph, Variables};
use diagnostic::{Mistake, Mistakes, Position};
use yaml::{Node, Value};

/// A source being read.
pub(crate) struct Reader<'a> {
    pub origin: Origin,
    pub graph: &'a mut Graph,
    pub mistakes: Mistakes,
    pub warnings: &'a mut Vec<Mistake>,
}

impl Reader<'_> {
    /// Adds hosts with their variables to a group.
    pub fn hosts(
        &mut self,
        names: &[String],
        port: Option<u32>,
        group: usize,
        variables: &Variables,
        position: &Position,
    ) {
        for name in names {
            let name = HostName::from(name.as_str());
            let is_new = self.graph.host(&name, group, position);
            let Some(host) = self.graph.hosts.get_mut(&name) else { continue };
            if is_new {
                host.variables.extend(self.origin.variables(position));
                if let Some(port) = port {
                    host.variables
                        .insert("ansible_port".to_owned(), Node::new(Value::Int(port.into()), position.clone()));
                }
            }
            host.variables.extend(variables.clone());
        }
    }

    /// Sets a variable of a group; `ansible_group_priority` is not one, but orders the groups.
    pub fn group_variable(&mut self, group: usize, name: &str, value: Node) {
        if name != "ansible_group_priority" {
            self.graph.groups[group].variables.insert(name.to_owned(), value);
            return;
        }
        let number = match &value.value {
            Value::Int(number) => Some(*number),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        match number {
            Some(number) => self.graph.groups[group].priority = number,
            None => self.mistakes.push(
                Mistake::at(
                    value.position.clone(),
                    format!("`ansible_group_priority` takes an integer, not {}", value.kind()),
                )
                .labelled("not an integer"),
            ),
        }
    }

    pub fn child(&mut self, parent: usize, child: usize, position: &Position) {
        if let Err(mistake) = self.graph.child(parent, child, position) {
            self.mistakes.push(mistake);
        }
    }

    /// The group's index. A name that can't be a variable's is taken, but odd (`TRANSFORM_INVALID_GROUP_CHARS=never`).
    pub fn group(&mut self, name: &str, position: &Position) -> usize {
        if !self.graph.groups.contains_key(name) && !is_identifier(name) {
            let lead = if name.starts_with(char::is_numeric) { "_" } else { "" };
            let safe = name.chars().map(|character| if character.is_alphanumeric() { character } else { '_' });
            let better: String = lead.chars().chain(safe).collect();
            self.warnings.push(
                Mistake::at(
                    position.clone(),
                    format!("group name `{name}` holds characters that variable names can't"),
                )
                .labelled("taken as it is")
                .hinted(format!("call it `{better}`, so that `groups.{better}` works in templates")),
            );
        }
        self.graph.group(name, position)
    }

    /// Says so when a variable's name can't be used in templates (deprecated in ansible-core 2.19).
    pub fn check_variable_name(&mut self, name: &str, position: &Position) {
        if !(is_identifier(name) && name.is_ascii()) {
            self.warnings.push(
                Mistake::at(position.clone(), format!("`{name}` is no valid variable name"))
                    .labelled("can't be used in templates")
                    .hinted("use letters, digits and `_`, and begin with a letter or `_`"),
            );
        }
    }
}

fn is_identifier(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_numeric())
        && !name.is_empty()
        && name.chars().all(|character| character.is_alphanumeric() || character == '_')
}

//! The inventory as `ansible-inventory` (2.19) shows it: `--list`, `--host` and `--graph`.

use crate::graph::{ALL, UNGROUPED};
use crate::{Error, Inventory, Variables};
use camino::Utf8Path;
use diagnostic::REDACTED;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::fmt::Write;
use yaml::Node;

/// What `ansible-inventory` leaves out of variables: `INTERNAL_STATIC_VARS` in ansible-core 2.19's `constants.py`, as far as
/// an inventory sets them.
const INTERNAL: [&str; 6] =
    ["group_names", "groups", "inventory_dir", "inventory_file", "inventory_hostname", "inventory_hostname_short"];

impl Inventory {
    /// `ansible-inventory --list`: groups with hosts and children, and each host's variables below `_meta`. Keys are sorted.
    ///
    /// # Errors
    /// A variable file can't be read.
    pub fn to_list(&self, playbook_dir: Option<&Utf8Path>) -> Result<Value, Error> {
        let mut groups = Map::new();
        self.list_group(ALL, &mut groups, &mut HashSet::new());
        let mut hostvars = Map::new();
        for host in self.hosts() {
            let variables = self.to_host(host, playbook_dir)?;
            if variables.as_object().is_some_and(|variables| !variables.is_empty()) {
                hostvars.insert(host.to_string(), variables);
            }
        }
        groups.insert("_meta".to_owned(), json!({ "hostvars": hostvars, "profile": "inventory_legacy" }));
        Ok(sorted(Value::Object(groups)))
    }

    /// `ansible-inventory --host`: a host's variables without the magic ones. Keys are sorted.
    ///
    /// # Errors
    /// The host is unknown, or a variable file can't be read.
    pub fn to_host(&self, host: &str, playbook_dir: Option<&Utf8Path>) -> Result<Value, Error> {
        let variables = self.variables_without_groups(host, playbook_dir)?;
        Ok(sorted(data(&variables)))
    }

    /// `ansible-inventory --graph`: the tree of groups and hosts below a group, lines ended by `\n`; `all` when none is named.
    ///
    /// # Errors
    /// There is no such group.
    pub fn to_graph(&self, group: Option<&str>) -> Result<String, Error> {
        let name = group.unwrap_or("all");
        let index = self.graph.groups.get_index_of(name).ok_or_else(|| self.unknown_group(name))?;
        let mut lines = String::new();
        self.graph_group(index, 0, &mut lines);
        Ok(lines)
    }

    fn list_group(&self, index: usize, groups: &mut Map<String, Value>, seen: &mut HashSet<usize>) {
        let group = &self.graph.groups[index];
        let mut shown = Map::new();
        if index != ALL && !group.hosts.is_empty() {
            shown.insert("hosts".to_owned(), json!(group.hosts.iter().map(|host| host.as_str()).collect::<Vec<_>>()));
        }
        let children: Vec<&str> = group.children.iter().map(|child| self.graph.group_name(*child)).collect();
        if !children.is_empty() {
            shown.insert("children".to_owned(), json!(children));
        }
        if !shown.is_empty() {
            groups.insert(self.graph.group_name(index).to_owned(), Value::Object(shown));
        }
        for child in &group.children {
            if seen.insert(*child) {
                self.list_group(*child, groups, seen);
            }
        }
    }

    fn graph_group(&self, index: usize, depth: usize, lines: &mut String) {
        line(&format!("@{}:", self.graph.group_name(index)), depth, lines);
        for child in &self.graph.groups[index].children {
            self.graph_group(*child, depth + 1, lines);
        }
        if index != ALL {
            for host in &self.graph.groups[index].hosts {
                line(host, depth + 1, lines);
            }
        }
    }

    /// Whether all hosts are in groups of their own, so that `ungrouped` needs no showing.
    pub fn is_fully_grouped(&self) -> bool {
        self.graph.groups[UNGROUPED].hosts.is_empty()
    }
}

fn line(text: &str, depth: usize, lines: &mut String) {
    let lead = if depth == 0 { String::new() } else { "  |".repeat(depth) + "--" };
    // Writing to a string can't fail.
    let _ = writeln!(lines, "{lead}{text}");
}

fn data(variables: &Variables) -> Value {
    let shown = variables.iter().filter(|(name, _)| !INTERNAL.contains(&name.as_str()));
    shown.map(|(name, value)| (name.clone(), marked(value))).collect::<Map<_, _>>().into()
}

/// The node as data, where strings that are never templates are `{"__ansible_unsafe": "…"}`, so that they stay so when the
/// output is read as an inventory again.
fn marked(node: &Node) -> Value {
    match &node.value {
        yaml::Value::Sequence(items) => items.iter().map(marked).collect(),
        yaml::Value::Mapping(entries) => {
            entries.iter().map(|(key, value)| (key.to_key(), marked(value))).collect::<Map<_, _>>().into()
        }
        // Unlike Ansible, which tells what encrypted files hold.
        _ if node.is_secret => json!(REDACTED),
        yaml::Value::String(text) if node.is_unsafe => json!({ "__ansible_unsafe": text }),
        _ => node.to_data(),
    }
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            entries.into_iter().collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        scalar => scalar,
    }
}

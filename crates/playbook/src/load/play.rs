//! Plays.

use super::keywords;
use super::reader::{Place, Reader};
use super::{Item, Level, LevelKind, Play, ast, fields, sources};
use camino::{Utf8Path, Utf8PathBuf};
use std::sync::Arc;
use yaml::{Mapping, Node};

/// What an `import_playbook` gives to the plays that it brings in.
#[derive(Debug, Clone, Default)]
pub(super) struct Imported {
    pub(super) vars: indexmap::IndexMap<String, Arc<Node>>,
    pub(super) tags: Vec<Node>,
    pub(super) when: Vec<Node>,
}

impl Reader<'_> {
    /// Reads a play of `file`. `root` is the folder of the playbook that was started.
    pub(super) fn play(
        &mut self,
        mapping: &Mapping,
        node: &Node,
        file: &Utf8Path,
        root: &Utf8Path,
        imported: &Imported,
    ) -> Option<Play> {
        let mut fields = self.fields(mapping, keywords::PLAY, "a play");
        for (key, _) in &fields.others {
            self.unknown_keyword(key, keywords::PLAY, "a play");
        }
        self.check_values(&fields);
        let own: std::collections::HashMap<&str, &Node> = fields.own.iter().copied().collect();
        fields.vars.extend(imported.vars.clone());
        fields.keywords.tags.extend(imported.tags.iter().cloned());
        let name = fields.keywords.name.clone();
        let level = fields.into_level(LevelKind::Play, None);
        let directory = sources::directory_of(file);
        let place = Place {
            level: with_conditions(&level, imported),
            handlers: false,
            directories: directories(&directory, "tasks"),
        };
        let sections =
            ["pre_tasks", "tasks", "post_tasks"].map(|section| self.items(own.get(section).copied(), &place));
        let place =
            Place { level: Arc::clone(&level), handlers: true, directories: directories(&directory, "handlers") };
        let handlers = self.items(own.get("handlers").copied(), &place);
        let Some(hosts) = own.get("hosts") else {
            self.missing_hosts(mapping, node);
            return None;
        };
        let get = |name: &str| own.get(name).copied().cloned();
        Some(Play {
            name,
            position: node.position.clone(),
            hosts: (*hosts).clone(),
            level,
            gather_facts: get("gather_facts"),
            vars_files: get("vars_files").as_ref().map(fields::list).unwrap_or_default(),
            sections,
            handlers: handlers_of(&handlers),
            force_handlers: get("force_handlers"),
            max_fail_percentage: get("max_fail_percentage"),
            serial: get("serial"),
            order: get("order"),
            playbook_directory: root.to_owned(),
            directory,
        })
    }

    fn missing_hosts(&mut self, mapping: &Mapping, node: &Node) {
        if mapping.get("hosts").is_none() {
            let hint = Some("add `hosts: all`, a group or a host".to_owned());
            self.problems.hinted(&node.position, "a play needs `hosts`", hint);
        } else if let Some(hosts) = mapping.get("hosts").filter(|hosts| hosts.value == yaml::Value::Null) {
            self.problems.mistake(&hosts.position, "`hosts` is empty");
        }
    }

    fn check_values(&mut self, fields: &super::reader::Fields<'_>) {
        if let Some(strategy) = fields.get("strategy")
            && !matches!(strategy.as_str(), Some("linear" | "ansible.builtin.linear"))
        {
            let name = strategy.as_str().unwrap_or_default();
            self.problems.unsupported(&strategy.position, format!("strategy `{name}`"));
        }
        const ORDERS: [&str; 5] = ["inventory", "sorted", "reverse_sorted", "reverse_inventory", "shuffle"];
        if let Some(order) = fields.get("order")
            && let Some(name) = order.as_str()
            && !fields::is_template(name)
        {
            if name == "shuffle" {
                self.problems.unsupported(&order.position, "order `shuffle`");
            } else if !ORDERS.contains(&name) {
                let hint = super::problems::did_you_mean(name, ORDERS);
                self.problems.hinted(&order.position, format!("unknown order `{name}`"), hint);
            }
        }
    }
}

/// The conditions of an `import_playbook` hold for every task of the play, not for its handlers.
fn with_conditions(play: &Arc<Level>, imported: &Imported) -> Arc<Level> {
    if imported.when.is_empty() {
        return Arc::clone(play);
    }
    let keywords = super::Keywords { when: imported.when.clone(), ..super::Keywords::default() };
    Arc::new(Level {
        kind: LevelKind::Block,
        parent: Some(Arc::clone(play)),
        keywords,
        vars: indexmap::IndexMap::new(),
        values: serde_json::Map::new(),
    })
}

fn directories(directory: &Utf8Path, kind: &str) -> Vec<Utf8PathBuf> {
    vec![directory.to_owned(), sources::join(directory, kind)]
}

/// Handlers in order, blocks opened.
fn handlers_of(items: &[Item]) -> Vec<Arc<super::Task>> {
    let mut handlers = Vec::new();
    ast::flatten(items, &mut handlers);
    handlers.into_iter().cloned().collect()
}

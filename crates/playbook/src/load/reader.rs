//! The reading of one playbook: what all its parts need, and the reading of keywords that plays, blocks and tasks share.

use super::keywords::{self, Keyword, Keywords, Places, Takes};
use super::problems::did_you_mean;
use super::{Level, LevelKind, Problems, Sources, fields};
use camino::Utf8PathBuf;
use diagnostic::Mistake;
use indexmap::IndexMap;
use std::sync::Arc;
use yaml::{Mapping, Node, Value};

/// Reads playbooks and task files, and remembers what was wrong.
pub(crate) struct Reader<'a> {
    pub(super) sources: &'a Sources,
    pub(super) problems: Problems,
    pub(super) warnings: Vec<Mistake>,
    /// The files that are being imported at the moment, so that a file which imports itself is found.
    pub(super) open_files: Vec<Utf8PathBuf>,
}

/// Where a list of tasks stands.
#[derive(Clone)]
pub(crate) struct Place {
    /// What its tasks inherit from.
    pub(crate) level: Arc<Level>,
    /// Whether they are handlers.
    pub(crate) handlers: bool,
    /// Where relative paths of imports are looked for, in order.
    pub(crate) directories: Vec<Utf8PathBuf>,
}

/// The entries of a play, block or task, sorted.
pub(super) struct Fields<'n> {
    /// The keywords that are inherited.
    pub(super) keywords: Keywords,
    /// `vars`
    pub(super) vars: IndexMap<String, Arc<Node>>,
    /// Other keywords that are valid here.
    pub(super) own: Vec<(&'static str, &'n Node)>,
    /// What is no keyword: modules, `with_…`, typos.
    pub(super) others: Vec<(&'n Node, &'n Node)>,
}

impl<'n> Fields<'n> {
    /// The value of a keyword that is not inherited.
    pub(super) fn get(&self, name: &str) -> Option<&'n Node> {
        self.own.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// The level that these keywords make.
    pub(super) fn into_level(self, kind: LevelKind, parent: Option<Arc<Level>>) -> Arc<Level> {
        let Self { keywords, vars, .. } = self;
        Arc::new(Level { kind, parent, keywords, vars, values: serde_json::Map::new() })
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(sources: &'a Sources) -> Self {
        Self { sources, problems: Problems::default(), warnings: Vec::new(), open_files: Vec::new() }
    }

    /// What was found while reading.
    pub(crate) fn into_problems(self) -> Problems {
        self.problems
    }

    /// Sorts the entries of a mapping. `what` names the thing in messages (`a task`).
    pub(super) fn fields<'n>(&mut self, mapping: &'n Mapping, place: Places, what: &str) -> Fields<'n> {
        let mut fields =
            Fields { keywords: Keywords::default(), vars: IndexMap::new(), own: Vec::new(), others: Vec::new() };
        for (key, value) in mapping.iter() {
            let Some(name) = key.as_str() else {
                self.problems.mistake(&key.position, format!("a keyword must be a string, not {}", key.kind()));
                continue;
            };
            match keywords::find(name) {
                Some(keyword) if keyword.places & place != 0 => self.keyword(keyword, key, value, &mut fields),
                Some(_) => self.misplaced(key, name, place, what),
                None => fields.others.push((key, value)),
            }
        }
        fields
    }

    fn misplaced(&mut self, key: &Node, name: &str, place: Places, what: &str) {
        if place == keywords::INCLUDE {
            let message = format!("keyword `{name}` is not valid in `include_tasks`");
            let hint = format!(
                "to pass it on to the included tasks, write it under `apply:`, or use `import_tasks`: `apply: {{{name}: …}}`"
            );
            self.problems.hinted(&key.position, message, Some(hint));
        } else {
            self.problems.mistake(&key.position, format!("keyword `{name}` is not valid in {what}"));
        }
    }

    /// Reports a key that is no keyword.
    pub(super) fn unknown_keyword(&mut self, key: &Node, place: Places, what: &str) {
        let name = key.as_str().unwrap_or_default();
        let hint = did_you_mean(name, keywords::names_in(place));
        self.problems.hinted(&key.position, format!("unknown keyword `{name}` in {what}"), hint);
    }

    fn keyword<'n>(&mut self, keyword: &'static Keyword, key: &Node, value: &'n Node, fields: &mut Fields<'n>) {
        if value.value == Value::Null && keyword.takes != Takes::Anything {
            return;
        }
        if let Some(expected) = fields::objection(keyword.takes, value) {
            let message = format!("`{}` takes {expected}, not {}", keyword.name, described(value));
            self.problems.hinted(&value.position, message, fields::form(keyword.takes).map(str::to_owned));
            return;
        }
        if !keyword.supported {
            self.problems.unsupported(&key.position, format!("keyword `{}`", keyword.name));
            return;
        }
        match keyword.name {
            "vars" => fields.vars = self.variables(value),
            "tags" => fields.keywords.tags = fields::comma_list(value),
            "when" => fields.keywords.when = fields::list(value),
            "notify" => fields.keywords.notify = Some(fields::list(value)),
            "collections" => self.collections(value),
            name => match fields.keywords.slot(name) {
                Some(slot) => *slot = Some(value.clone()),
                None => fields.own.push((keyword.name, value)),
            },
        }
    }

    /// Modules are looked for in `ansible.builtin` alone, so a list that asks for more is not supported.
    fn collections(&mut self, value: &Node) {
        for name in fields::words(value) {
            if !matches!(name, "ansible.builtin" | "ansible.legacy") {
                self.problems.unsupported(&value.position, format!("collection `{name}`"));
            }
        }
    }

    /// Reads a mapping of variables.
    pub(super) fn variables(&mut self, value: &Node) -> IndexMap<String, Arc<Node>> {
        let mut variables = IndexMap::new();
        for (key, value) in value.as_mapping().into_iter().flat_map(Mapping::iter) {
            match key.as_str() {
                Some(name) if fields::is_variable_name(name) => {
                    variables.insert(name.to_owned(), Arc::new(value.clone()));
                }
                Some(name) => self.problems.hinted(
                    &key.position,
                    format!("`{name}` is not a valid name of a variable"),
                    Some("use letters, digits and underscores, beginning with a letter".to_owned()),
                ),
                None => {
                    let message = format!("the name of a variable must be a string, not {}", key.kind());
                    self.problems.mistake(&key.position, message);
                }
            }
        }
        variables
    }
}

/// A value in a message: the literal if it is short, else its kind.
fn described(value: &Node) -> String {
    match &value.value {
        Value::String(text) if text.len() <= 40 => format!("`{text}`"),
        Value::Int(number) => format!("`{number}`"),
        Value::Bool(flag) => format!("`{flag}`"),
        _ => value.kind().to_owned(),
    }
}

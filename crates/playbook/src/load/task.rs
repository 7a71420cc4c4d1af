//! Tasks and handlers.

use super::action::{self, ActionKind};
use super::keywords::{self, Takes};
use super::reader::{Fields, Place, Reader};
use super::{Action, LevelKind, Loop, LoopControl, Task, fields};
use std::sync::Arc;
use yaml::{Mapping, Node, Value};

/// The lookups that `with_…` can name.
pub(crate) const WITH: [&str; 5] = ["items", "list", "dict", "together", "indexed_items"];

impl Reader<'_> {
    /// Reads a task or handler. A task whose module is not known is read as far as it goes.
    pub(super) fn task(&mut self, mapping: &Mapping, node: &Node, place: &Place) -> Option<Task> {
        let where_valid = self.places(mapping, place);
        let what = if place.handlers { "a handler" } else { "a task" };
        let fields = self.fields(mapping, where_valid, what);
        let action = self.action(&fields, node, where_valid, what);
        let repeat = self.repeat(&fields);
        let register = self.register(&fields);
        self.refuse_unsupported(&fields);
        let listen = fields.get("listen").map(fields::comma_list).unwrap_or_default();
        let own = |name: &str| fields.get(name).cloned();
        let conditions = |name: &str| fields.get(name).map(fields::list).unwrap_or_default();
        let (until, changed_when, failed_when) =
            (conditions("until"), conditions("changed_when"), conditions("failed_when"));
        let (retries, delay) = (own("retries"), own("delay"));
        let (action, delegate) = action?;
        let mut fields = fields;
        if delegate.is_some() {
            fields.keywords.delegate_to = delegate;
        }
        Some(Task {
            position: node.position.clone(),
            action,
            repeat,
            register,
            until,
            retries,
            delay,
            changed_when,
            failed_when,
            listen,
            is_handler: place.handlers,
            level: fields.into_level(LevelKind::Task, Some(Arc::clone(&place.level))),
        })
    }

    /// Which keywords are valid: those of tasks or handlers, and few for `include_tasks`.
    fn places(&self, mapping: &Mapping, place: &Place) -> keywords::Places {
        let includes = mapping.iter().filter_map(|(key, _)| key.as_str());
        let mut includes = includes.filter(|name| keywords::find(name).is_none());
        if includes.any(|name| matches!(action::resolve(name, self.sources), ActionKind::IncludeTasks)) {
            let listen = if place.handlers { keywords::HANDLER } else { 0 };
            // A handler that includes has `listen` besides (`HandlerTaskInclude`); the rest stays as narrow as for a task.
            return if listen != 0 && mapping.get("listen").is_some() { listen } else { keywords::INCLUDE };
        }
        if place.handlers { keywords::HANDLER } else { keywords::TASK }
    }

    /// The action of a task, and the host that `local_action` delegates to.
    fn action(&mut self, fields: &Fields<'_>, node: &Node, place: u8, what: &str) -> Option<(Action, Option<Node>)> {
        let args = fields.get("args");
        let old_style = fields.get("action").or_else(|| fields.get("local_action"));
        let (modules, others): (Vec<_>, Vec<_>) = fields
            .others
            .iter()
            .copied()
            .filter(|(key, _)| !key.as_str().is_some_and(|name| name.starts_with("with_")))
            .partition(|(key, _)| self.names_a_module(key));
        if old_style.is_some() || !modules.is_empty() {
            others.iter().for_each(|(key, _)| self.unknown_keyword(key, place, what));
        }
        match (old_style, modules.as_slice()) {
            (Some(value), []) => {
                let action = action::read_old_style(value, args, self.sources, &mut self.problems)?;
                let local = fields.get("local_action").is_some();
                let localhost = Node::new(Value::String("localhost".to_owned()), value.position.clone());
                Some((action, local.then_some(localhost)))
            }
            (None, [(key, value)]) => Some((action::read(key, value, args, self.sources, &mut self.problems), None)),
            (None, []) => {
                self.no_action(&others, node, place, what);
                None
            }
            (_, modules) => {
                let (key, _) = modules.last()?;
                let names: Vec<_> = modules.iter().filter_map(|(key, _)| key.as_str()).collect();
                let message = format!("a task has one action, this one has several: `{}`", names.join("`, `"));
                self.problems.mistake(&key.position, message);
                None
            }
        }
    }

    fn names_a_module(&self, key: &Node) -> bool {
        key.as_str().is_some_and(|name| {
            !matches!(action::resolve(name, self.sources), ActionKind::Unknown) || action::is_known_to_ansible(name)
        })
    }

    /// A task without an action that is known: one of its keys may be a misspelt module, or a misspelt keyword.
    fn no_action(&mut self, others: &[(&Node, &Node)], node: &Node, place: u8, what: &str) {
        match others {
            [] => self.problems.hinted(
                &node.position,
                format!("no module in {what}"),
                Some("name the module that it runs, for example `ansible.builtin.command: …`".to_owned()),
            ),
            [(key, _)] => {
                let name = key.as_str().unwrap_or_default();
                action::report_unknown(name, &key.position, self.sources, &mut self.problems);
            }
            several => {
                for (key, _) in several {
                    let name = key.as_str().unwrap_or_default();
                    if diagnostic::closest(name, keywords::names_in(place)).is_some() {
                        self.unknown_keyword(key, place, what);
                    } else {
                        action::report_unknown(name, &key.position, self.sources, &mut self.problems);
                    }
                }
            }
        }
    }

    /// `loop`, or one `with_…`.
    fn repeat(&mut self, fields: &Fields<'_>) -> Option<Loop> {
        let control = self.loop_control(fields.get("loop_control"));
        let mut loops: Vec<(Option<String>, &Node)> = Vec::new();
        if let Some(items) = fields.get("loop").filter(|items| items.value != Value::Null) {
            loops.push((None, items));
        }
        for (key, value) in &fields.others {
            if let Some(lookup) = key.as_str().and_then(|name| name.strip_prefix("with_")) {
                self.check_with(key, lookup, value);
                loops.push((Some(lookup.to_owned()), value));
            }
        }
        if let [_, (_, second), ..] = loops.as_slice() {
            self.problems.mistake(&second.position, "a task has one loop, this one has several");
        }
        let (lookup, items) = loops.into_iter().next()?;
        if lookup.is_none() && !matches!(items.value, Value::Sequence(_)) && !fields::holds_template(items) {
            let hint = Some("write the items as a list, or an expression that gives one".to_owned());
            self.problems.hinted(&items.position, format!("`loop` takes a list, not {}", items.kind()), hint);
        }
        Some(Loop { lookup, items: items.clone(), control })
    }

    fn check_with(&mut self, key: &Node, lookup: &str, value: &Node) {
        if value.value == Value::Null {
            self.problems.mistake(&key.position, format!("`with_{lookup}` needs a value"));
        }
        if !WITH.contains(&lookup) {
            self.problems.unsupported(&key.position, format!("`with_{lookup}`"));
        }
    }

    fn loop_control(&mut self, node: Option<&Node>) -> LoopControl {
        const NAMES: [&str; 7] =
            ["loop_var", "index_var", "label", "pause", "extended", "extended_allitems", "break_when"];
        let mut control = LoopControl::default();
        for (key, value) in node.and_then(Node::as_mapping).into_iter().flat_map(Mapping::iter) {
            let takes = match key.as_str().unwrap_or_default() {
                "loop_var" | "index_var" => Takes::Text,
                "pause" => Takes::Number,
                "extended" | "extended_allitems" => Takes::Bool,
                "break_when" => Takes::Conditions,
                "label" => Takes::Anything,
                name => {
                    let hint = super::problems::did_you_mean(name, NAMES);
                    self.problems.hinted(&key.position, format!("unknown key `{name}` in `loop_control`"), hint);
                    continue;
                }
            };
            if let Some(expected) = fields::objection(takes, value) {
                let message = format!("`{}` takes {expected}, not {}", key.as_str().unwrap_or_default(), value.kind());
                self.problems.mistake(&value.position, message);
            }
            let value = value.clone();
            match key.as_str().unwrap_or_default() {
                "loop_var" => control.loop_var = Some(value),
                "index_var" => control.index_var = Some(value),
                "label" => control.label = Some(value),
                "pause" => control.pause = Some(value),
                "extended" => control.extended = Some(value),
                "extended_allitems" => control.extended_allitems = Some(value),
                _ => control.break_when = fields::list(&value),
            }
        }
        control
    }

    fn register(&mut self, fields: &Fields<'_>) -> Option<String> {
        let node = fields.get("register")?;
        let name = node.as_str().unwrap_or_default();
        if !fields::is_variable_name(name) {
            self.problems.mistake(&node.position, format!("`{name}` is not a valid name of a variable"));
        }
        Some(name.to_owned())
    }

    fn refuse_unsupported(&mut self, fields: &Fields<'_>) {
        if let Some(facts) = &fields.keywords.delegate_facts
            && fields::boolean(facts) != Some(false)
        {
            self.problems.unsupported(&facts.position, "`delegate_facts`");
        }
    }
}

//! YAML inventories (ansible-core 2.19, `plugins/inventory/yaml.py`): groups at the top, each with `hosts`, `vars`, `children`.

use super::Reader;
use crate::address;
use crate::graph::Variables;
use diagnostic::{Mistake, closest};
use yaml::{Mapping, Node, Value};

/// Reads the root mapping into the reader's graph.
pub(crate) fn read(groups: &Mapping, reader: &mut Reader<'_>) {
    for (name, group) in groups.iter() {
        self::group(name, group, reader);
    }
}

const SECTIONS: [&str; 3] = ["hosts", "vars", "children"];

/// Reads a group; its index, unless it is none.
fn group(name: &Node, content: &Node, reader: &mut Reader<'_>) -> Option<usize> {
    let Some(text) = name.as_str() else {
        reader.mistakes.push(not_a_name(name, "group"));
        return None;
    };
    let entries = match &content.value {
        Value::Mapping(entries) => entries,
        Value::Null => return Some(reader.group(text, &name.position)),
        _ => {
            reader.warnings.push(
                Mistake::at(
                    content.position.clone(),
                    format!("`{text}` is no group: it is {}, not a mapping", content.kind()),
                )
                .labelled("skipped")
                .hinted("a group holds `hosts:`, `vars:` or `children:`"),
            );
            return None;
        }
    };
    let index = reader.group(text, &name.position);
    for (section, content) in entries.iter() {
        self::section(index, text, section, content, reader);
    }
    Some(index)
}

fn section(group: usize, group_name: &str, name: &Node, content: &Node, reader: &mut Reader<'_>) {
    let known = name.as_str().filter(|name| SECTIONS.contains(name));
    let entries = match (&content.value, known) {
        (Value::Null, _) => return,
        (Value::Mapping(entries), _) => entries.clone(),
        // A single name may stand alone: `hosts: pi-1`.
        (Value::String(_), Some(_)) => {
            Mapping::new(vec![(content.clone(), Node::new(Value::Null, content.position.clone()))])
        }
        (_, Some(section)) => {
            reader.mistakes.push(not_a_mapping(section, content));
            return;
        }
        (_, None) => Mapping::default(),
    };
    match known {
        Some("vars") => {
            variables(&entries, reader).into_iter().for_each(|(name, value)| reader.group_variable(group, &name, value))
        }
        Some("children") => children(group, &entries, reader),
        Some(_) => hosts(group, &entries, reader),
        None => reader.warnings.push(unknown_section(group_name, name)),
    }
}

fn unknown_section(group: &str, name: &Node) -> Mistake {
    let text = name.as_str().map_or_else(|| name.kind().to_owned(), |text| format!("`{text}`"));
    let hint = match name.as_str().and_then(|text| closest(text, SECTIONS)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "a group holds `hosts`, `vars` and `children`; put groups below `children`".to_owned(),
    };
    Mistake::at(name.position.clone(), format!("unexpected {text} in group `{group}`")).labelled("skipped").hinted(hint)
}

fn not_a_mapping(section: &str, content: &Node) -> Mistake {
    let mistake = Mistake::at(content.position.clone(), format!("`{section}` takes a mapping, not {}", content.kind()))
        .labelled(content.kind());
    match content.value {
        Value::Sequence(_) => mistake.hinted("write names with a colon behind them, `pi-1:`, without the dashes"),
        _ => mistake,
    }
}

fn not_a_name(node: &Node, what: &str) -> Mistake {
    Mistake::at(node.position.clone(), format!("the name of a {what} must be a string, not {}", node.kind()))
        .labelled(node.kind())
        .hinted("quote it")
}

fn children(parent: usize, groups: &Mapping, reader: &mut Reader<'_>) {
    for (name, content) in groups.iter() {
        if let Some(child) = group(name, content, reader) {
            reader.child(parent, child, &name.position);
        }
    }
}

fn hosts(group: usize, hosts: &Mapping, reader: &mut Reader<'_>) {
    for (pattern, content) in hosts.iter() {
        let variables = match &content.value {
            Value::Null => Variables::new(),
            Value::Mapping(entries) => self::variables(entries, reader),
            _ => {
                let name = pattern.as_str().unwrap_or("host");
                reader.mistakes.push(
                    Mistake::at(
                        content.position.clone(),
                        format!("the variables of `{name}` must be a mapping, not {}", content.kind()),
                    )
                    .labelled(content.kind()),
                );
                continue;
            }
        };
        let Some(text) = pattern.as_str() else {
            reader.mistakes.push(not_a_name(pattern, "host"));
            continue;
        };
        match address::expand(text) {
            Ok((names, port)) => reader.hosts(&names, port, group, &variables, &pattern.position),
            Err(message) => {
                let mistake = Mistake::at(pattern.position.clone(), message);
                reader.mistakes.push(mistake.labelled("not a host or range of hosts"));
            }
        }
    }
}

fn variables(entries: &Mapping, reader: &mut Reader<'_>) -> Variables {
    let mut variables = Variables::new();
    for (name, value) in entries.iter() {
        match name.as_str() {
            Some(text) => {
                reader.check_variable_name(text, &name.position);
                variables.insert(text.to_owned(), value.clone());
            }
            None => reader.mistakes.push(not_a_name(name, "variable")),
        }
    }
    variables
}

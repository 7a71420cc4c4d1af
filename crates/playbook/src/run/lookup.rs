//! The items of `with_…` loops.

use super::fault::Fault;
use super::templates::{Templates, text};
use diagnostic::Mistake;
use template::Value;
use yaml::Node;

/// The items that `with_<lookup>` loops over. As in Ansible a string that gives a list stands for the list, and anything
/// else but a list for a list with one item.
pub(crate) async fn items(lookup: &str, node: &Node, templates: &Templates<'_>) -> Result<Vec<Value>, Fault> {
    let value = templates.render(node, "").await?;
    let terms = match value {
        Value::List(items) | Value::Tuple(items) => items.to_vec(),
        Value::Omit => Vec::new(),
        other => vec![other],
    };
    let refuse = |value: &Value, expected: &str| {
        let message = format!("`with_{lookup}` takes {expected}, not `{}`", text(value));
        Fault::at(Mistake::at(node.position.clone(), message))
    };
    Ok(match lookup {
        "list" => terms,
        "items" => flatten(&terms),
        "indexed_items" => {
            let pair = |(index, item)| Value::list(vec![Value::from(index), item]);
            flatten(&terms).into_iter().enumerate().map(pair).collect()
        }
        "dict" => {
            let mut items = Vec::new();
            for term in &terms {
                let map = term.as_map().ok_or_else(|| refuse(term, "a mapping"))?;
                items.extend(
                    map.iter().map(|(key, value)| Value::record([("key", key.value()), ("value", value.clone())])),
                );
            }
            items
        }
        "together" => {
            let mut lists = Vec::new();
            for term in &terms {
                lists.push(term.as_sequence().ok_or_else(|| refuse(term, "lists"))?);
            }
            together(&lists)
        }
        _ => return Err(Fault::message(format!("`with_{lookup}` is not supported by the native engine"))),
    })
}

/// One level of lists opened.
fn flatten(terms: &[Value]) -> Vec<Value> {
    let mut flat = Vec::new();
    for term in terms {
        match term.as_sequence() {
            Some(items) => flat.extend(items.iter().cloned()),
            None => flat.push(term.clone()),
        }
    }
    flat
}

/// The first of each list, the second of each, …; shorter lists are filled up with `None`.
fn together(lists: &[&[Value]]) -> Vec<Value> {
    let longest = lists.iter().map(|list| list.len()).max().unwrap_or(0);
    let row = |index| Value::list(lists.iter().map(|list| list.get(index).cloned().unwrap_or_default()).collect());
    (0..longest).map(row).collect()
}

//! `include_vars`: variables from a file, kept for the rest of the run.

use super::attempt::{Item, Update};
use super::execution::Execution;
use super::fault::Fault;
use super::templates::{Templates, text};
use super::veil::hush;
use super::{Run, paths, report};
use crate::load::fields::is_variable_name;
use crate::load::sources;
use crate::modules::TaskResult;
use camino::Utf8Path;
use diagnostic::Mistake;
use serde_json::{Map, Value as Json};
use std::sync::Arc;
use yaml::{Mapping, Node, Value};

impl Execution<'_> {
    pub(crate) async fn include_vars(&self, templates: &Templates<'_>, item: &mut Item) -> Result<(), Fault> {
        let arguments = &self.task.action.arguments;
        let Some(file) = arguments.free_form.as_ref().or_else(|| arguments.get("file")) else {
            return Err(Fault::message("`include_vars` needs a file"));
        };
        let name = text(&templates.render(file, "error while resolving the file of `include_vars`").await?);
        let folders = paths::with_kind(&paths::search_path(self.play, &self.task.level), "vars");
        let path = sources::find_file(&name, &folders).ok_or_else(|| {
            let message = format!("Could not find or access '{name}' on the Ansible Controller.");
            Fault::at(Mistake::at(file.position.clone(), message).hinted(sources::looked_in(&folders)))
        })?;
        let variables = match arguments.get("name") {
            None => read(&path, self.run)?,
            Some(node) => vec![(
                text(&templates.render(node, "error while resolving `name`").await?),
                read_node(&path, self.run)?,
            )],
        };
        let mut shown = Map::new();
        let mut kept = Vec::new();
        for (name, node) in variables {
            // What can't be rendered yet is rendered when it is used.
            let value = templates.render(&node, "").await.map_or(Json::Null, |value| value.to_json());
            shown.insert(name.clone(), value);
            kept.push((name, Arc::new(node)));
        }
        let files = vec![Json::from(paths::from_root(&path).into_string())];
        let result =
            TaskResult::new(false).with("ansible_facts", shown.clone()).with("ansible_included_var_files", files);
        item.result = result.0;
        report::complete(&mut item.result);
        item.updates = vec![Update::Included(kept, shown)];
        Ok(())
    }
}

fn read_node(path: &Utf8Path, run: &Run<'_>) -> Result<Node, Fault> {
    let (node, _) = sources::read_with(path, run.decrypt.as_deref()).map_err(|mistakes| {
        Fault::at(mistakes.into_iter().next().unwrap_or_else(|| Mistake::new(format!("file `{path}` can not be read"))))
    })?;
    hush(&node, &run.options.redactor);
    Ok(node)
}

/// The variables of a file: a mapping.
pub(crate) fn read(path: &Utf8Path, run: &Run<'_>) -> Result<Vec<(String, Node)>, Fault> {
    let node = read_node(path, run)?;
    let mut variables = Vec::new();
    if !matches!(node.value, Value::Mapping(_) | Value::Null) {
        let message = format!("a file of variables holds a mapping, not {}", node.kind());
        return Err(Fault::at(Mistake::at(node.position, message)));
    }
    for (key, value) in node.as_mapping().into_iter().flat_map(Mapping::iter) {
        match key.as_str() {
            Some(name) if is_variable_name(name) => variables.push((name.to_owned(), value.clone())),
            name => {
                let message = format!("`{}` is not a valid name of a variable", name.unwrap_or(key.kind()));
                return Err(Fault::at(Mistake::at(key.position.clone(), message)));
            }
        }
    }
    Ok(variables)
}

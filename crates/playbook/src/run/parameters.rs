//! From the arguments of a task to the parameters of a module: rendered, under their main names, without what is omitted.

use super::fault::Fault;
use super::templates::{Templates, text};
use super::veil::Veil;
use crate::load::{Argument, Arguments};
use crate::modules::{Kind, Module, Parameter};
use diagnostic::Mistake;
use serde_json::{Map, Value as Json};
use template::Value;
use yaml::Node;

/// What a module is called with.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Rendered {
    pub(crate) parameters: Map<String, Json>,
    pub(crate) free_form: Option<String>,
}

impl Rendered {
    /// Tells the veil which keys of the result can say again what the module was given, and of the content of a file.
    pub(crate) fn veil(&self, module: &Module, veil: &Veil) {
        if veil.traces().is_empty() {
            return;
        }
        if let Some(line) = &self.free_form {
            veil.traces().split(line);
        }
        for (name, value) in &self.parameters {
            veil.echo(name);
            if let Some(parameter) = module.parameters.iter().find(|parameter| parameter.name == name) {
                parameter.aliases.iter().for_each(|alias| veil.echo(alias));
            }
            if name == "content" {
                veil.content(veil.traces(), &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            }
        }
    }
}

/// Renders the arguments of a module.
pub(crate) async fn render(
    module: &Module,
    arguments: &Arguments,
    templates: &Templates<'_>,
) -> Result<Rendered, Fault> {
    let mut rendered = Rendered::default();
    if let Some(node) = &arguments.template {
        let value = templates.render(node, &finalizing(module, "args")).await?;
        merge(module, node, value, &mut rendered.parameters)?;
    }
    if let Some(node) = &arguments.free_form {
        free_form(module, node, templates, &mut rendered).await?;
    }
    for argument in &arguments.parameters {
        let name = name(module, argument, templates).await?;
        let doing = finalizing(module, &argument.name);
        let value = match module.parameters.iter().find(|parameter| parameter.name == name) {
            Some(Parameter { kind: Kind::Conditions, .. }) => conditions(&argument.value, templates).await,
            _ => templates.render(&argument.value, &doing).await?,
        };
        match value {
            Value::Omit => rendered.parameters.remove(&name),
            value => rendered.parameters.insert(name, value.to_json()),
        };
    }
    Ok(rendered)
}

/// The line of a free-form module. For others it may be a template that gives parameters.
async fn free_form(
    module: &Module,
    node: &Node,
    templates: &Templates<'_>,
    rendered: &mut Rendered,
) -> Result<(), Fault> {
    let value = templates.render(node, &finalizing(module, "_raw_params")).await?;
    if module.free_form {
        rendered.free_form = Some(text(&value));
        return Ok(());
    }
    merge(module, node, value, &mut rendered.parameters)
}

fn merge(module: &Module, node: &Node, value: Value, parameters: &mut Map<String, Json>) -> Result<(), Fault> {
    match value {
        Value::Map(map) => {
            for (name, value) in map.iter().filter(|(_, value)| !value.is_omit()) {
                parameters.insert(main_name(module, &name.to_json()).to_owned(), value.to_json());
            }
            Ok(())
        }
        Value::Omit | Value::None => Ok(()),
        other => {
            let message = format!("the arguments of `{}` must be a mapping, not `{}`", module.name, text(&other));
            Err(Fault::at(Mistake::at(node.position.clone(), message)))
        }
    }
}

/// Names of `set_fact` may be templates.
async fn name(module: &Module, argument: &Argument, templates: &Templates<'_>) -> Result<String, Fault> {
    if !module.open || !crate::load::fields::is_template(&argument.name) {
        return Ok(main_name(module, &argument.name).to_owned());
    }
    let node = Node::new(yaml::Value::String(argument.name.clone()), argument.position.clone());
    Ok(text(&templates.render(&node, &finalizing(module, &argument.name)).await?))
}

/// The name that a module calls its parameter, for one of its aliases.
fn main_name<'n>(module: &Module, name: &'n str) -> &'n str {
    let parameter = module.parameters.iter().find(|parameter| parameter.aliases.contains(&name));
    parameter.map_or(name, |parameter| parameter.name)
}

/// Conditions stay as they are written, since the module evaluates them; a template that gives a list of them is taken.
async fn conditions(node: &Node, templates: &Templates<'_>) -> Value {
    if let Some(text) = node.as_str()
        && text.trim_start().starts_with("{{")
        && text.trim_end().ends_with("}}")
        && let Ok(Value::List(items)) = templates.render(node, "").await
    {
        return Value::List(items);
    }
    as_written(node)
}

/// A node without its templates rendered.
fn as_written(node: &Node) -> Value {
    match &node.value {
        yaml::Value::Null => Value::None,
        yaml::Value::Bool(flag) => Value::Bool(*flag),
        yaml::Value::Int(number) => Value::from(*number),
        yaml::Value::Float(number) => Value::Float(*number),
        yaml::Value::String(text) | yaml::Value::Vault(text) => Value::from(text.as_str()),
        yaml::Value::Sequence(items) => Value::list(items.iter().map(as_written).collect()),
        yaml::Value::Mapping(entries) => {
            let entries =
                entries.iter().filter_map(|(key, value)| Some((template::Key::from(key.as_str()?), as_written(value))));
            Value::map(entries.collect())
        }
    }
}

fn finalizing(module: &Module, name: &str) -> String {
    format!(
        "Finalization of task args for 'ansible.builtin.{}' failed: Error while resolving value for '{name}'",
        module.name
    )
}

//! The parameters of modules, as far as they are literal.

use crate::load::{ActionKind, Argument, Problems, Task, fields, problems};
use crate::modules::{Kind, Module, Parameter};
use diagnostic::Position;
use yaml::{Node, Value};

/// Checks the arguments of a task.
pub(super) fn check(task: &Task, problems: &mut Problems) {
    let action = &task.action;
    match action.kind {
        ActionKind::Module(module) => check_module(module, task, problems),
        ActionKind::IncludeVars => others(task, &INCLUDE_VARS, &["file", "name"], problems),
        ActionKind::Facts => others(task, &SETUP, &[], problems),
        _ => {}
    }
}

/// Parameters of `include_vars`.
const INCLUDE_VARS: [&str; 9] = [
    "file",
    "dir",
    "name",
    "depth",
    "files_matching",
    "ignore_files",
    "extensions",
    "ignore_unknown_extensions",
    "hash_behaviour",
];

/// Parameters of `setup` and `gather_facts`.
const SETUP: [&str; 5] = ["gather_subset", "gather_timeout", "filter", "fact_path", "parallel"];

/// Parameters of what the engine carries out itself.
fn others(task: &Task, known: &[&'static str], supported: &[&str], problems: &mut Problems) {
    for argument in &task.action.arguments.parameters {
        let name = argument.name.as_str();
        if !known.contains(&name) {
            unknown(&task.action.name, argument, known.iter().copied(), problems);
        } else if !supported.contains(&name) {
            problems.unsupported(&argument.position, format!("parameter `{name}` of `{}`", task.action.name));
        }
    }
}

fn check_module(module: &Module, task: &Task, problems: &mut Problems) {
    let (name, at) = (&task.action.name, &task.action.position);
    let arguments = &task.action.arguments;
    // A line that is a template may give any parameters.
    let line = arguments.free_form.as_ref().filter(|_| !module.free_form);
    let is_open = arguments.template.is_some() || line.is_some_and(fields::holds_template);
    if let Some(line) = line.filter(|line| !fields::holds_template(line)) {
        let hint = example(module)
            .map(|parameter| format!("write `{name}: {parameter}=…`, or the parameters below it, one a line"));
        problems.hinted(&line.position, format!("`{name}` takes parameters, not a line of text"), hint);
        return;
    }
    let mut given = Vec::new();
    let mut misspelt = Vec::new();
    for argument in &arguments.parameters {
        match declared(module, &argument.name) {
            Some(parameter) => {
                given.push(parameter.name);
                value(name, parameter, &argument.value, problems);
            }
            None if module.open || fields::is_template(&argument.name) => {}
            None => {
                let names = module
                    .parameters
                    .iter()
                    .flat_map(|parameter| parameter.aliases.iter().copied().chain([parameter.name]));
                misspelt.extend(problems::nearest(&argument.name, names.clone()));
                unknown(name, argument, names, problems);
            }
        }
    }
    // What was meant by a misspelt one is not missed besides.
    given.extend(misspelt.into_iter().filter_map(|name| declared(module, name)).map(|parameter| parameter.name));
    let missing: Vec<_> =
        module.parameters.iter().filter(|p| p.required && !given.contains(&p.name)).map(|p| p.name).collect();
    if !missing.is_empty() && !is_open {
        missing_required(name, at, &missing, problems);
    }
}

fn missing_required(name: &str, at: &Position, missing: &[&str], problems: &mut Problems) {
    let at = at.clone().with_length(name.chars().count());
    let plural = if missing.len() == 1 { "parameter" } else { "parameters" };
    problems.mistake(&at, format!("`{name}` lacks the required {plural} `{}`", missing.join("`, `")));
}

fn unknown(module: &str, argument: &Argument, names: impl IntoIterator<Item = &'static str>, problems: &mut Problems) {
    let names: Vec<_> = names.into_iter().collect();
    let hint = problems::did_you_mean(&argument.name, names.iter().copied());
    let hint = hint.or_else(|| (!names.is_empty()).then(|| format!("it takes `{}`", sorted(names).join("`, `"))));
    let at = argument.position.clone().with_length(argument.name.chars().count());
    problems.hinted(&at, format!("`{module}` has no parameter `{}`", argument.name), hint);
}

fn sorted(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names
}

fn declared<'m>(module: &'m Module, name: &str) -> Option<&'m Parameter> {
    module.parameters.iter().find(|parameter| parameter.name == name || parameter.aliases.contains(&name))
}

fn example(module: &Module) -> Option<&'static str> {
    module
        .parameters
        .iter()
        .find(|parameter| parameter.required)
        .or(module.parameters.first())
        .map(|parameter| parameter.name)
}

/// A literal value against what the parameter takes.
fn value(module: &str, parameter: &Parameter, node: &Node, problems: &mut Problems) {
    if fields::holds_template(node) || matches!(node.value, Value::Null | Value::Vault(_)) {
        return;
    }
    let text = literal(node);
    if let (false, Some(text)) = (parameter.choices.is_empty(), &text)
        && !parameter.choices.contains(&text.as_str())
    {
        let message = format!("`{}` of `{module}` can not be `{text}`", parameter.name);
        let nearest = problems::did_you_mean(text, parameter.choices.iter().copied());
        let hint = nearest.unwrap_or_else(|| format!("it takes `{}`", parameter.choices.join("`, `")));
        problems.hinted(&node.position, message, Some(hint));
        return;
    }
    if let Some(expected) = objection(parameter.kind, node, text.as_deref()) {
        let given = text.map_or_else(|| node.kind().to_owned(), |text| format!("`{text}`"));
        problems.mistake(&node.position, format!("`{}` of `{module}` takes {expected}, not {given}", parameter.name));
    }
}

/// What the value should have been, by the conversions of Ansible's argument specification.
fn objection(kind: Kind, node: &Node, text: Option<&str>) -> Option<&'static str> {
    let is_container = text.is_none();
    match kind {
        Kind::Bool => fields::boolean(node).is_none().then_some("a boolean"),
        Kind::Integer => (!text.is_some_and(is_integer)).then_some("an integer"),
        Kind::Float => text.is_none_or(|text| text.trim().parse::<f64>().is_err()).then_some("a number"),
        Kind::Path => is_container.then_some("a path"),
        Kind::Dictionary => matches!(node.value, Value::Sequence(_)).then_some("a mapping"),
        Kind::List => matches!(node.value, Value::Mapping(_)).then_some("a list"),
        Kind::Conditions => matches!(node.value, Value::Mapping(_)).then_some("a condition or a list of conditions"),
        Kind::String | Kind::Raw => None,
    }
}

fn is_integer(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok_and(|number| number.fract() == 0.0)
}

/// The text of a scalar.
fn literal(node: &Node) -> Option<String> {
    match &node.value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

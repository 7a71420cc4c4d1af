//! `-e`: variables from the command line, in the three forms that Ansible takes (`load_extra_vars`, 2.19).

use crate::load::fields::is_variable_name;
use crate::load::sources;
use camino::Utf8Path;
use diagnostic::{Mistake, Mistakes, Position};
use indexmap::IndexMap;
use yaml::{Node, Value};

/// What positions of variables from the command line name as their file.
const COMMAND_LINE: &str = "<command line>";

/// Reads the values of `-e` in order; later ones replace earlier ones. Each is `@file` (YAML or JSON), a YAML or JSON mapping,
/// or `name=value` pairs, whose values are strings.
///
/// # Errors
/// Everything wrong in them.
pub fn extra_vars<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<IndexMap<String, Node>, Mistakes> {
    extra_vars_with(arguments, None)
}

/// The same with a way to read encrypted files; what they hold is marked as secret.
///
/// # Errors
/// Everything wrong in them.
pub fn extra_vars_with<'a>(
    arguments: impl IntoIterator<Item = &'a str>,
    decrypt: Option<&template::Decrypt>,
) -> Result<IndexMap<String, Node>, Mistakes> {
    let mut variables = IndexMap::new();
    let mut mistakes = Mistakes::new();
    for argument in arguments {
        match read(argument, decrypt).and_then(checked) {
            Ok(read) => variables.extend(read),
            Err(found) => mistakes.extend(found),
        }
    }
    mistakes.into_result()?;
    Ok(variables)
}

fn read(argument: &str, decrypt: Option<&template::Decrypt>) -> Result<Vec<(Node, Node)>, Mistakes> {
    if let Some(path) = argument.strip_prefix('@') {
        return entries(sources::read_with(Utf8Path::new(path), decrypt)?.0);
    }
    let text = argument.trim_start();
    // `ansible/utils/vars.py`: what begins like a path is most likely a file whose `@` was forgotten.
    if text.starts_with(['/', '.']) {
        let mistake = Mistake::new(format!("`-e {argument}` is neither `name=value` nor YAML"));
        return Err(mistake.hinted(format!("to read a file write `-e @{argument}`")).into());
    }
    if text.starts_with(['{', '[']) {
        return entries(yaml::load_one(COMMAND_LINE, argument).map_err(|error| Mistakes::of(&error))?);
    }
    pairs(argument)
}

fn entries(node: Node) -> Result<Vec<(Node, Node)>, Mistakes> {
    match node.value {
        Value::Null => Ok(Vec::new()),
        Value::Mapping(mapping) => Ok(mapping.iter().map(|(key, value)| (key.clone(), value.clone())).collect()),
        _ => Err(Mistake::at(node.position.clone(), format!("variables are a mapping, not {}", node.kind())).into()),
    }
}

fn pairs(argument: &str) -> Result<Vec<(Node, Node)>, Mistakes> {
    let position = || Position::new(COMMAND_LINE, 1, 1).with_length(argument.chars().count());
    let string = |text: String| Node::new(Value::String(text), position());
    let line = crate::load::free_form_line(argument)
        .ok_or_else(|| Mistake::new(format!("a quote or a `{{{{` is not closed in `-e {argument}`")))?;
    if let Some(rest) = line.free_form {
        let mistake = Mistake::new(format!("`-e {}` has no value", rest.trim()));
        return Err(mistake.hinted("write `-e name=value`, `-e '{name: value}'` or `-e @file`").into());
    }
    Ok(line.parameters.into_iter().map(|(name, value)| (string(name), string(value))).collect())
}

fn checked(entries: Vec<(Node, Node)>) -> Result<Vec<(String, Node)>, Mistakes> {
    let mut mistakes = Mistakes::new();
    let mut checked = Vec::new();
    for (key, value) in entries {
        match key.as_str() {
            Some(name) if is_variable_name(name) => checked.push((name.to_owned(), value)),
            Some(name) => {
                let message = format!("`{name}` is not a valid name of a variable");
                let mistake =
                    if key.position.in_file() { Mistake::at(key.position, message) } else { Mistake::new(message) };
                mistakes.push(mistake);
            }
            None => mistakes.push(Mistake::at(
                key.position.clone(),
                format!("the name of a variable must be a string, not {}", key.kind()),
            )),
        }
    }
    mistakes.into_result()?;
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn string(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    #[rstest]
    #[case(&["a=1 b='x y'"], &[("a", string("1")), ("b", string("x y"))])]
    #[case(&["{a: 1, b: yes}"], &[("a", Value::Int(1)), ("b", Value::Bool(true))])]
    #[case(&["{\"a\": 1}", "a=2"], &[("a", string("2"))])]
    #[case(&["a='{{ b }}'"], &[("a", string("{{ b }}"))])]
    fn three_forms_are_read(#[case] arguments: &[&str], #[case] expected: &[(&str, Value)]) {
        let variables = extra_vars(arguments.iter().copied()).unwrap();
        let found: Vec<_> = variables.iter().map(|(name, node)| (name.as_str(), node.value.clone())).collect();
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case("vars.yml", "`-e vars.yml` has no value")]
    #[case("./vars.yml", "`-e ./vars.yml` is neither `name=value` nor YAML")]
    #[case("my-var=1", "`my-var` is not a valid name of a variable")]
    #[case("[1]", "variables are a mapping, not a list")]
    #[case("@/no/such/vars.yml", "file `/no/such/vars.yml` does not exist")]
    #[case("a='b", "a quote or a `{{` is not closed in `-e a='b`")]
    fn what_is_wrong_is_told(#[case] argument: &str, #[case] expected: &str) {
        assert_eq!(extra_vars([argument]).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_file_keeps_its_positions() {
        let folder = crate::testing::Folder::new();
        let path = folder.write("vars.yml", "a: 1\nb: {c: 2}\n");
        let variables = extra_vars([format!("@{path}").as_str()]).unwrap();
        assert_eq!(variables["b"].position.line, 2);
    }
}

//! What the value of a keyword may be, as far as that shows before anything is rendered.

use super::keywords::Takes;
use yaml::{Node, Value};

/// Whether text holds a Jinja expression, statement or comment.
pub(crate) fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|opening| text.contains(opening))
}

/// Whether a node, or anything in it, is a template.
pub(crate) fn holds_template(node: &Node) -> bool {
    match &node.value {
        Value::String(text) => !node.is_unsafe && is_template(text),
        Value::Sequence(items) => items.iter().any(holds_template),
        Value::Mapping(mapping) => mapping.iter().any(|(key, value)| holds_template(key) || holds_template(value)),
        _ => false,
    }
}

/// The strings of a node that is one, or a list of them; what is not a string is left out.
pub(crate) fn words(node: &Node) -> Vec<&str> {
    match &node.value {
        Value::Sequence(items) => items.iter().filter_map(Node::as_str).collect(),
        _ => node.as_str().into_iter().collect(),
    }
}

/// The items of a list, or the node itself.
pub(crate) fn list(node: &Node) -> Vec<Node> {
    match &node.value {
        Value::Null => Vec::new(),
        Value::Sequence(items) => items.clone(),
        _ => vec![node.clone()],
    }
}

/// Like [`list`]; a string holds several, separated by commas, as in `tags: a,b` (`Taggable._load_tags`).
pub(crate) fn comma_list(node: &Node) -> Vec<Node> {
    match &node.value {
        Value::String(text) if !is_template(text) => text
            .split(',')
            .map(|word| Node::new(Value::String(word.trim().to_owned()), node.position.clone()))
            .collect(),
        _ => list(node),
    }
}

/// The words that Ansible takes for a boolean (`module_utils/parsing/convert_bool.py`).
pub(crate) fn boolean_word(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
        "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
        _ => None,
    }
}

/// The boolean that a node stands for, if it is a literal one.
pub(crate) fn boolean(node: &Node) -> Option<bool> {
    match &node.value {
        Value::Bool(value) => Some(*value),
        Value::Int(1) => Some(true),
        Value::Int(0) => Some(false),
        Value::String(text) => boolean_word(text),
        _ => None,
    }
}

/// Whether a name can be a variable's: a Python identifier in ASCII that is no keyword (`validate_variable_name`, 2.19).
pub(crate) fn is_variable_name(name: &str) -> bool {
    let mut characters = name.chars();
    let starts_well = characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    starts_well && characters.all(|c| c.is_ascii_alphanumeric() || c == '_') && !PYTHON_KEYWORDS.contains(&name)
}

/// `keyword.kwlist` of Python 3.11.
const PYTHON_KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// What is wrong with a literal value for what a keyword takes; templates are checked when they are rendered.
pub(crate) fn objection(takes: Takes, node: &Node) -> Option<&'static str> {
    if let Value::String(text) = &node.value
        && !node.is_unsafe
        && is_template(text)
        && !matches!(takes, Takes::Tasks | Takes::Variables | Takes::Mapping)
    {
        return None;
    }
    let fits = match takes {
        Takes::Anything | Takes::List => true,
        Takes::Bool => boolean(node).is_some(),
        Takes::Text => is_scalar(node),
        Takes::Integer => number(node).is_some_and(|number| number.fract() == 0.0),
        Takes::Number => number(node).is_some(),
        Takes::Words => list(node).iter().all(is_scalar),
        Takes::Conditions => list(node).iter().all(is_condition),
        Takes::Variables | Takes::Mapping => matches!(node.value, Value::Mapping(_)),
        Takes::Tasks => matches!(node.value, Value::Sequence(_)),
    };
    (!fits).then(|| expected(takes))
}

fn expected(takes: Takes) -> &'static str {
    match takes {
        Takes::Bool => "a boolean",
        Takes::Text => "a string",
        Takes::Integer => "an integer",
        Takes::Number => "a number",
        Takes::Words => "a string or a list of strings",
        Takes::Conditions => "a condition (an expression or a boolean) or a list of conditions",
        Takes::Variables | Takes::Mapping => "a mapping",
        Takes::Tasks => "a list of tasks",
        Takes::List | Takes::Anything => "a value",
    }
}

/// How one writes what a keyword takes.
pub(crate) fn form(takes: Takes) -> Option<&'static str> {
    match takes {
        Takes::Bool => Some("write `true` or `false`"),
        Takes::Text => Some("write one text, in quotes if need be"),
        Takes::Integer | Takes::Number => Some("write a number, such as `5`"),
        Takes::Words => Some("write one text, or a list `[a, b]`"),
        Takes::Conditions => Some("write an expression, such as `x is defined`, or a list of them"),
        Takes::Variables | Takes::Mapping => Some("write `name: value` lines below it"),
        Takes::Tasks => Some("write each task below it as `- name: …` and its module"),
        Takes::List | Takes::Anything => None,
    }
}

fn is_scalar(node: &Node) -> bool {
    !matches!(node.value, Value::Null | Value::Sequence(_) | Value::Mapping(_))
}

fn is_condition(node: &Node) -> bool {
    match &node.value {
        Value::Bool(_) => true,
        Value::String(text) => !text.trim().is_empty(),
        _ => false,
    }
}

/// The number that a literal stands for; a percent sign is for `max_fail_percentage`.
fn number(node: &Node) -> Option<f64> {
    match &node.value {
        #[expect(clippy::cast_precision_loss, reason = "only asked whether it is a whole number")]
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::String(text) => text.trim().trim_end_matches('%').parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diagnostic::Position;
    use rstest::rstest;

    fn node(value: Value) -> Node {
        Node::new(value, Position::new("t.yml", 1, 1))
    }

    #[rstest]
    #[case(Takes::Bool, Value::String("maybe".into()), false)]
    #[case(Takes::Bool, Value::String("yes".into()), true)]
    #[case(Takes::Bool, Value::String("{{ x }}".into()), true)]
    #[case(Takes::Conditions, Value::Int(1), false)]
    #[case(Takes::Conditions, Value::Bool(true), true)]
    #[case(Takes::Integer, Value::Float(1.5), false)]
    #[case(Takes::Integer, Value::String("3".into()), true)]
    #[case(Takes::Tasks, Value::String("{{ x }}".into()), false)]
    #[case(Takes::Words, Value::Sequence(vec![node(Value::Null)]), false)]
    fn literals_are_checked(#[case] takes: Takes, #[case] value: Value, #[case] fits: bool) {
        assert_eq!(objection(takes, &node(value)).is_none(), fits);
    }

    #[rstest]
    #[case("good_1", true)]
    #[case("1bad", false)]
    #[case("my-var", false)]
    #[case("class", false)]
    #[case("", false)]
    fn variable_names_are_identifiers(#[case] name: &str, #[case] valid: bool) {
        assert_eq!(is_variable_name(name), valid);
    }
}

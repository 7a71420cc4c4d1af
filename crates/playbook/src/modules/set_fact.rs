//! `ansible.builtin.set_fact`: gives the host variables for the rest of the run. It needs no machine.
//!
//! Differences from ansible-core 2.19: there is no fact cache, so `cacheable` has no effect beyond the run.
//! <https://docs.ansible.com/ansible-core/2.19/collections/ansible/builtin/set_fact_module.html>

use super::convert::Arguments;
use super::{Failure, Invocation, Kind, Module, Parameter, TaskResult};
use futures::future::BoxFuture;
use serde_json::{Map, Value};

/// The module's declaration.
pub(crate) const MODULE: Module = Module {
    name: "set_fact",
    summary: "Gives the host variables for the rest of the run.",
    parameters: &[CACHEABLE],
    free_form: false,
    open: true,
    needs_machine: false,
    run,
};

const CACHEABLE: Parameter =
    Parameter::new("cacheable", Kind::Bool, "Keeps the variables in the fact cache; there is none here.")
        .default("false");

fn run<'a>(invocation: &'a Invocation<'a>) -> BoxFuture<'a, Result<TaskResult, Failure>> {
    Box::pin(async { set(invocation) })
}

fn set(invocation: &Invocation<'_>) -> Result<TaskResult, Failure> {
    let mut facts: Map<String, Value> = invocation.parameters.clone();
    let cacheable: Map<String, Value> = facts.shift_remove_entry(CACHEABLE.name).into_iter().collect();
    Arguments::new(&MODULE, &cacheable)?.bool(CACHEABLE.name)?;
    if facts.is_empty() {
        return Err(Failure::message(
            "No key/value pairs provided, at least one is required for this action to succeed",
        ));
    }
    match facts.keys().find(|name| !is_variable_name(name)) {
        Some(name) => Err(Failure::message(format!("Invalid variable name '{name}'."))),
        None => Ok(TaskResult::new(false).with("ansible_facts", facts)),
    }
}

/// Python's keywords can not be variables (`validate_variable_name` in ansible-core's `utils/vars.py`).
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

fn is_variable_name(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !KEYWORDS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Call;
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[test]
    fn keeps_native_values() {
        let parameters = json!({"a": 1, "b": {"c": [true, null]}, "cacheable": "yes"});
        let expected = json!({"changed": false, "ansible_facts": {"a": 1, "b": {"c": [true, null]}}});
        assert_eq!(Call::new(parameters).result(&MODULE), expected);
    }

    #[rstest]
    #[case(json!({"a b": 1}), "Invalid variable name 'a b'.")]
    #[case(json!({"1a": 1}), "Invalid variable name '1a'.")]
    #[case(json!({"for": 1}), "Invalid variable name 'for'.")]
    #[case(json!({"cacheable": true}), "No key/value pairs provided, at least one is required for this action to succeed")]
    fn refuses(#[case] parameters: Value, #[case] message: &str) {
        assert_eq!(Call::new(parameters).failure(&MODULE)["msg"], message);
    }
}

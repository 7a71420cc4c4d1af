//! `ansible.builtin.assert`: fails unless all its expressions are true. It needs no machine.
//! <https://docs.ansible.com/ansible-core/2.19/collections/ansible/builtin/assert_module.html>

use super::convert::{Arguments, type_name};
use super::{Failure, Invocation, Kind, Module, Parameter, TaskResult};
use futures::future::BoxFuture;
use serde_json::Value;

/// The module's declaration.
pub(crate) const MODULE: Module = Module {
    name: "assert",
    summary: "Fails unless all its expressions are true.",
    parameters: &[
        Parameter::new("that", Kind::Conditions, "Expressions, one or a list.").required(),
        Parameter::new("fail_msg", Kind::Raw, "The message of a failure.")
            .aliases(&["msg"])
            .default("Assertion failed"),
        Parameter::new("success_msg", Kind::Raw, "The message of a success.").default("All assertions passed"),
        Parameter::new("quiet", Kind::Bool, "Does not print the result.").default("false"),
    ],
    free_form: false,
    open: false,
    needs_machine: false,
    run,
};

/// What is asserted and said.
struct Options {
    that: Vec<Value>,
    fail_msg: Value,
    success_msg: Value,
}

impl Options {
    fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let that = match arguments.given("that") {
            Some(Value::Array(expressions)) => expressions.clone(),
            Some(one) => vec![one.clone()],
            None => Vec::new(),
        };
        arguments.bool("quiet")?;
        Ok(Self { that, fail_msg: words(arguments, "fail_msg")?, success_msg: words(arguments, "success_msg")? })
    }
}

/// A string or a list of strings.
fn words(arguments: &Arguments, name: &str) -> Result<Value, Failure> {
    match arguments.given(name) {
        Some(Value::Array(lines)) if lines.iter().all(Value::is_string) => Ok(Value::Array(lines.clone())),
        Some(Value::String(line)) => Ok(line.clone().into()),
        other => Err(Failure::message(format!(
            "argument '{name}' is of type {} and we were unable to convert to str_or_list_of_str: a string or list of strings is \
             required",
            type_name(other.unwrap_or(&Value::Null))
        ))),
    }
}

fn run<'a>(invocation: &'a Invocation<'a>) -> BoxFuture<'a, Result<TaskResult, Failure>> {
    Box::pin(async { check(invocation) })
}

fn check(invocation: &Invocation<'_>) -> Result<TaskResult, Failure> {
    let options = Options::of(&Arguments::of(&MODULE, invocation)?)?;
    for expression in &options.that {
        if !holds(invocation, expression)? {
            let result = TaskResult::new(false).with("assertion", expression.clone()).with("evaluated_to", false);
            return Err(Failure::Task(Box::new(result.with("failed", true).with("msg", options.fail_msg))));
        }
    }
    Ok(TaskResult::new(false).with("msg", options.success_msg))
}

/// A conditional must be a boolean since ansible-core 2.19; null and the empty string count as true, as in `when`.
fn holds(invocation: &Invocation<'_>, expression: &Value) -> Result<bool, Failure> {
    match expression {
        Value::String(text) if text.is_empty() => Ok(true),
        Value::Null => Ok(true),
        Value::String(text) => invocation.context.condition(text),
        other => verdict(other),
    }
}

/// A condition's result as the boolean that it has to be.
pub(super) fn verdict(value: &Value) -> Result<bool, Failure> {
    match value {
        Value::Bool(truth) => Ok(*truth),
        other => Err(Failure::message(format!(
            "Conditional result ({}) was derived from value of type '{}'. Conditionals must have a boolean result.",
            if truthy(other) { "True" } else { "False" },
            type_name(other)
        ))),
    }
}

fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Call;
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!({"that": "yes"}), "All assertions passed")]
    #[case(json!({"that": ["yes", true], "success_msg": "fine"}), "fine")]
    fn passes(#[case] parameters: Value, #[case] message: &str) {
        assert_eq!(Call::new(parameters).result(&MODULE), json!({"changed": false, "msg": message}));
    }

    #[test]
    fn names_the_first_that_does_not_hold() {
        let failure = Call::new(json!({"that": ["yes", "no", "word"], "msg": ["a", "b"]})).failure(&MODULE);
        let expected = json!({
            "changed": false, "failed": true, "assertion": "no", "evaluated_to": false, "msg": ["a", "b"]
        });
        assert_eq!(failure, expected);
    }

    #[rstest]
    #[case(json!({"that": "word"}),
        "Conditional result (True) was derived from value of type 'str'. Conditionals must have a boolean result.")]
    #[case(json!({"that": "nothing"}), "'nothing' is undefined")]
    #[case(json!({"that": "yes", "msg": false}),
        "argument 'fail_msg' is of type bool and we were unable to convert to str_or_list_of_str: a string or list of strings is \
         required")]
    #[case(json!({"msg": "x"}), "missing required arguments: that")]
    fn refuses(#[case] parameters: Value, #[case] message: &str) {
        assert_eq!(Call::new(parameters).failure(&MODULE)["msg"], message);
    }
}

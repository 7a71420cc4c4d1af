//! `ansible.builtin.debug`: prints a message or a variable. It needs no machine.
//!
//! Differences from ansible-core 2.19: a `var` that can not be evaluated is shown as an error text without its warning.
//! <https://docs.ansible.com/ansible-core/2.19/collections/ansible/builtin/debug_module.html>

use super::convert::Arguments;
use super::{Failure, Invocation, Kind, Module, Parameter, TaskResult};
use futures::future::BoxFuture;
use serde_json::Value;

/// The module's declaration.
pub(crate) const MODULE: Module = Module {
    name: "debug",
    summary: "Prints a message or a variable.",
    parameters: &[
        Parameter::new("msg", Kind::Raw, "What to print.").default("Hello world!"),
        Parameter::new("var", Kind::String, "An expression whose value is printed; not together with `msg`."),
        Parameter::new("verbosity", Kind::Integer, "Prints only when the run has that many `-v`.").default("0"),
    ],
    free_form: false,
    open: false,
    needs_machine: false,
    run,
};

fn run<'a>(invocation: &'a Invocation<'a>) -> BoxFuture<'a, Result<TaskResult, Failure>> {
    Box::pin(async { print(invocation) })
}

fn print(invocation: &Invocation<'_>) -> Result<TaskResult, Failure> {
    let arguments = Arguments::of(&MODULE, invocation)?;
    let given = |name| invocation.parameters.get(name).filter(|value| !value.is_null());
    let default = given("msg").and_then(Value::as_str) == MODULE.parameters[0].default;
    if given("var").is_some() && given("msg").is_some() && !default {
        return Err(Failure::message("parameters are mutually exclusive: msg|var"));
    }
    if arguments.integer("verbosity")?.unwrap_or(0) > i64::from(invocation.context.verbosity()) {
        let result = TaskResult::new(false).with("skipped", true);
        return Ok(result.with("skipped_reason", "Verbosity threshold not met."));
    }
    match given("var") {
        None => Ok(TaskResult::new(false).with("msg", arguments.given("msg").cloned().unwrap_or_default())),
        Some(Value::String(expression)) => {
            let value = invocation.context.evaluate(expression).unwrap_or_else(|failure| undefined(&failure));
            Ok(TaskResult::new(false).with(expression, value))
        }
        Some(other) => {
            let value = super::convert::repr(other);
            Err(Failure::message(format!(
                "argument 'var' is of type {} and we were unable to convert to str: '{value}' is not a string and conversion \
                 is not allowed",
                super::convert::type_name(other)
            )))
        }
    }
}

/// What stands in the place of a value that there is not; ansible-core prints its error between the same marks.
fn undefined(failure: &Failure) -> Value {
    let message = match failure {
        Failure::Task(result) => result.0.get("msg").map(super::convert::text).unwrap_or_default(),
        Failure::Unreachable(error) => error.to_string(),
    };
    format!("<< error 1 - {message} >>").into()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Call;
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!({}), json!({"changed": false, "msg": "Hello world!"}))]
    #[case(json!({"msg": {"a": [1]}}), json!({"changed": false, "msg": {"a": [1]}}))]
    #[case(json!({"var": "word"}), json!({"changed": false, "word": "word"}))]
    #[case(json!({"var": "x.y"}), json!({"changed": false, "x.y": "<< error 1 - 'x.y' is undefined >>"}))]
    #[case(json!({"msg": "x", "verbosity": 1}),
        json!({"changed": false, "skipped": true, "skipped_reason": "Verbosity threshold not met."}))]
    fn prints(#[case] parameters: Value, #[case] expected: Value) {
        assert_eq!(Call::new(parameters).result(&MODULE), expected);
    }

    #[test]
    fn takes_one_of_msg_and_var() {
        let failure = Call::new(json!({"msg": "a", "var": "word"})).failure(&MODULE);
        assert_eq!(failure["msg"], "parameters are mutually exclusive: msg|var");
    }
}

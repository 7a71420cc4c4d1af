//! `ansible.builtin.fail`: fails with a message. It needs no machine.
//! <https://docs.ansible.com/ansible-core/2.19/collections/ansible/builtin/fail_module.html>

use super::convert::Arguments;
use super::{Failure, Invocation, Kind, Module, Parameter, TaskResult};
use futures::future::BoxFuture;

/// The module's declaration.
pub(crate) const MODULE: Module = Module {
    name: "fail",
    summary: "Fails with a message.",
    parameters: &[Parameter::new("msg", Kind::String, "Why it fails.").default("Failed as requested from task")],
    free_form: false,
    open: false,
    needs_machine: false,
    run,
};

fn run<'a>(invocation: &'a Invocation<'a>) -> BoxFuture<'a, Result<TaskResult, Failure>> {
    Box::pin(async {
        let message = Arguments::of(&MODULE, invocation)?.given("msg").cloned().unwrap_or_default();
        Err(Failure::Task(Box::new(TaskResult::new(false).with("failed", true).with("msg", message))))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::Call;
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    #[rstest]
    #[case(json!({}), json!("Failed as requested from task"))]
    #[case(json!({"msg": "too small"}), json!("too small"))]
    #[case(json!({"msg": ["a", "b"]}), json!(["a", "b"]))]
    fn fails_with_its_message(#[case] parameters: Value, #[case] message: Value) {
        let expected = json!({"changed": false, "failed": true, "msg": message});
        assert_eq!(Call::new(parameters).failure(&MODULE), expected);
    }
}

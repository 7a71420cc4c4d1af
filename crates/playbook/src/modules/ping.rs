//! `ansible.builtin.ping`: whether the machine answers and its shell runs.
//! <https://docs.ansible.com/ansible-core/2.19/collections/ansible/builtin/ping_module.html>

use super::convert::Arguments;
use super::{Failure, Invocation, Kind, Module, Parameter, TaskResult};
use futures::future::BoxFuture;
use remote::Command;

/// The module's declaration.
pub(crate) const MODULE: Module = Module {
    name: "ping",
    summary: "Whether the machine answers and its shell runs.",
    parameters: &[Parameter::new("data", Kind::String, "What to answer; `crash` fails.").default("pong")],
    free_form: false,
    open: false,
    needs_machine: true,
    run,
};

fn run<'a>(invocation: &'a Invocation<'a>) -> BoxFuture<'a, Result<TaskResult, Failure>> {
    Box::pin(async {
        let data = Arguments::of(&MODULE, invocation)?.required_string("data")?;
        if data == "crash" {
            return Err(Failure::message("boom"));
        }
        let output = invocation.context.run(script(&data)).await?;
        Ok(TaskResult::new(false).with("ping", String::from_utf8_lossy(&output.stdout).into_owned()))
    })
}

fn script(data: &str) -> Command {
    let script = "printf %s \"$1\"".to_owned();
    Command { script, arguments: vec![data.to_owned()], ..Command::default() }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Call;
    use super::*;
    use serde_json::json;

    #[test]
    fn answers() {
        assert_eq!(Call::new(json!({})).result(&MODULE), json!({"changed": false, "ping": "pong"}));
        assert_eq!(Call::new(json!({"data": "x y"})).result(&MODULE)["ping"], "x y");
    }
}

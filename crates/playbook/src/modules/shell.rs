//! `ansible.builtin.shell`: runs a line, or several, in a shell. Shares everything else with `command`, and its differences.
//! <https://docs.ansible.com/ansible-core/2.19/collections/ansible/builtin/shell_module.html>

use super::command::{
    CHDIR, CMD, CREATES, Options, REMOVES, STDIN, STDIN_ADD_NEWLINE, STRIP_EMPTY_ENDS, carry_out, one_line,
};
use super::convert::Arguments;
use super::{Failure, Invocation, Kind, Module, Parameter, TaskResult};
use futures::future::BoxFuture;

/// The module's declaration.
pub(crate) const MODULE: Module = Module {
    name: "shell",
    summary: "Runs lines in a shell.",
    parameters: &[
        CMD,
        CHDIR,
        CREATES,
        REMOVES,
        Parameter::new("executable", Kind::Path, "The shell, an absolute path.").default("/bin/sh"),
        STDIN,
        STDIN_ADD_NEWLINE,
        STRIP_EMPTY_ENDS,
    ],
    free_form: true,
    open: false,
    needs_machine: true,
    run,
};

fn options(invocation: &Invocation<'_>) -> Result<Options, Failure> {
    let arguments = Arguments::of(&MODULE, invocation)?;
    let line = one_line(&arguments, invocation.free_form.as_deref(), "cmd")?.unwrap_or_default();
    let words = vec![arguments.required_string("executable")?, "-c".to_owned(), line.clone()];
    Options::with(&arguments, words, line.into(), false)
}

fn run<'a>(invocation: &'a Invocation<'a>) -> BoxFuture<'a, Result<TaskResult, Failure>> {
    Box::pin(async { carry_out(&options(invocation)?, invocation).await })
}

#[cfg(test)]
mod tests {
    use super::super::testing::Call;
    use super::*;
    use serde_json::json;

    fn free_form(line: &str) -> Call {
        Call { free_form: Some(line.to_owned()), ..Call::new(json!({})) }
    }

    #[test]
    fn lines_run_in_a_shell() {
        let line = "for i in 1 2; do\n  echo \"$i ~\"\ndone | tail -n 1\necho $((1 + 1)) >&2";
        let result = free_form(line).result(&MODULE);
        assert_eq!((&result["stdout"], &result["stderr"], &result["cmd"]), (&json!("2 ~"), &json!("2"), &json!(line)));
    }

    #[test]
    fn the_shell_can_be_chosen() {
        let call = Call::new(json!({"cmd": "echo ${BASH_VERSION:+bash}", "executable": "/bin/bash"}));
        assert_eq!(call.result(&MODULE)["stdout"], "bash");
    }

    #[test]
    fn a_failure_keeps_what_was_said() {
        let failure = free_form("echo before; exit 7").failure(&MODULE);
        assert_eq!(
            (&failure["rc"], &failure["stdout"], &failure["msg"]),
            (&json!(7), &json!("before"), &json!("non-zero return code"))
        );
    }

    #[test]
    fn expand_argument_vars_is_not_for_shell() {
        let failure = Call::new(json!({"cmd": "true", "expand_argument_vars": true})).failure(&MODULE);
        let message = failure["msg"].as_str().unwrap();
        assert!(message.starts_with("Unsupported parameters for (shell) module: expand_argument_vars."), "{message}");
    }
}

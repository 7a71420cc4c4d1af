//! `ansible.builtin.command`: runs a program, without a shell between. `shell` shares all but the last step.
//!
//! Differences from ansible-core 2.19: `start` and `end` are the controller's clock, so that no process is spent on them; a
//! program that a signal ended has `rc` 128 + signal instead of −signal; a file without `#!` is run by `sh` instead of failing.
//! <https://docs.ansible.com/ansible-core/2.19/collections/ansible/builtin/command_module.html>

use super::convert::Arguments;
use super::script::{self, flag};
use super::{Failure, Invocation, Kind, Module, Parameter, TaskResult, words};
use futures::future::BoxFuture;
use jiff::Zoned;
use remote::{Command, Output};
use serde_json::Value;

/// The module's declaration.
pub(crate) const MODULE: Module = Module {
    name: "command",
    summary: "Runs a program, without a shell between.",
    parameters: &[
        CMD,
        Parameter::new("argv", Kind::List, "The program and its arguments as a list."),
        CHDIR,
        CREATES,
        REMOVES,
        Parameter::new("executable", Kind::String, "Has no effect since Ansible 2.4."),
        STDIN,
        STDIN_ADD_NEWLINE,
        STRIP_EMPTY_ENDS,
        Parameter::new("expand_argument_vars", Kind::Bool, "Replaces `$VARIABLES` and `~` in arguments.")
            .default("true"),
    ],
    free_form: true,
    open: false,
    needs_machine: true,
    run,
};

pub(super) const CMD: Parameter = Parameter::new("cmd", Kind::String, "The command line.");
pub(super) const CHDIR: Parameter = Parameter::new("chdir", Kind::Path, "Where to run it.");
pub(super) const CREATES: Parameter =
    Parameter::new("creates", Kind::Path, "Runs only if no path matches this pattern.");
pub(super) const REMOVES: Parameter =
    Parameter::new("removes", Kind::Path, "Runs only if a path matches this pattern.");
pub(super) const STDIN: Parameter = Parameter::new("stdin", Kind::String, "Its standard input.");
pub(super) const STDIN_ADD_NEWLINE: Parameter =
    Parameter::new("stdin_add_newline", Kind::Bool, "Ends `stdin` with a newline.").default("true");
pub(super) const STRIP_EMPTY_ENDS: Parameter =
    Parameter::new("strip_empty_ends", Kind::Bool, "Strips newlines at the end of stdout and stderr.").default("true");

/// What is run, and under which conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    /// The program and its arguments.
    pub(super) words: Vec<String>,
    /// `cmd` in the result: the words, or the shell's line.
    pub(super) shown: Value,
    pub(super) chdir: Option<String>,
    pub(super) creates: Option<String>,
    pub(super) removes: Option<String>,
    pub(super) stdin: Option<String>,
    pub(super) stdin_add_newline: bool,
    pub(super) strip_empty_ends: bool,
    /// Whether `$VARIABLES` and `~` in the words are replaced.
    pub(super) expand: bool,
}

impl Options {
    fn of(invocation: &Invocation<'_>) -> Result<Self, Failure> {
        let arguments = Arguments::of(&MODULE, invocation)?;
        let line = one_line(&arguments, invocation.free_form.as_deref(), "argv")?;
        let words = match line {
            Some(line) => words::split(&line)?,
            None => arguments.strings("argv")?.unwrap_or_default(),
        };
        if words.is_empty() {
            return Err(Failure::with(nothing(Value::Array(Vec::new())).with("rc", 256), "no command given"));
        }
        let shown = words.iter().map(|word| Value::from(word.as_str())).collect();
        Self::with(&arguments, words, shown, arguments.bool("expand_argument_vars")?)
    }

    /// What `command` and `shell` read in the same way.
    pub(super) fn with(arguments: &Arguments, words: Vec<String>, shown: Value, expand: bool) -> Result<Self, Failure> {
        Ok(Self {
            words,
            shown,
            chdir: arguments.string("chdir")?,
            creates: arguments.string("creates")?,
            removes: arguments.string("removes")?,
            stdin: arguments.string("stdin")?,
            stdin_add_newline: arguments.bool("stdin_add_newline")?,
            strip_empty_ends: arguments.bool("strip_empty_ends")?,
            expand,
        })
    }
}

/// The command line: the free-form one or `cmd`; only one of these and `other` may be given.
pub(super) fn one_line(arguments: &Arguments, free_form: Option<&str>, other: &str) -> Result<Option<String>, Failure> {
    let free_form = free_form.filter(|line| !line.is_empty()).map(str::to_owned);
    let cmd = arguments.string("cmd")?;
    let other_given = other != "cmd" && arguments.given(other).is_some();
    match [free_form.is_some(), cmd.is_some(), other_given].into_iter().filter(|given| *given).count() {
        0 => Err(Failure::message("one of the following is required: _raw_params, cmd, argv")),
        1 => Ok(free_form.or(cmd)),
        _ => Err(Failure::message("parameters are mutually exclusive: _raw_params|cmd|argv")),
    }
}

fn run<'a>(invocation: &'a Invocation<'a>) -> BoxFuture<'a, Result<TaskResult, Failure>> {
    Box::pin(async { carry_out(&Options::of(invocation)?, invocation).await })
}

/// Runs it and tells how it went; shared with `shell`.
pub(super) async fn carry_out(options: &Options, invocation: &Invocation<'_>) -> Result<TaskResult, Failure> {
    let conditional = options.creates.is_some() || options.removes.is_some();
    if invocation.check_mode && !conditional && options.chdir.is_none() {
        return Ok(not_run(options));
    }
    let token = script::unique();
    let started = Zoned::now();
    let output = invocation.context.run(command(options, invocation.check_mode, &token)).await?;
    match verdict(&output, &token) {
        Some(verdict) => refused_or_skipped(options, invocation.check_mode, &verdict),
        None => ended(options, &output, &started, &Zoned::now()),
    }
}

/// The script that runs the program in its own place, so that not one process more is needed. What keeps it from running is told
/// on standard output after the token, which no program can know.
fn command(options: &Options, check: bool, token: &str) -> Command {
    let input = match (&options.stdin, options.stdin_add_newline) {
        (Some(text), true) => format!("{text}\n"),
        (Some(text), false) => text.clone(),
        (None, _) => String::new(),
    };
    let mut arguments = vec![token.to_owned(), flag(check), flag(options.expand)];
    for path in [&options.chdir, &options.creates, &options.removes] {
        arguments.push(path.clone().unwrap_or_default());
    }
    arguments.extend(options.words.iter().cloned());
    Command { input: input.into_bytes(), ..script::with_library(include_str!("command/run.sh"), arguments) }
}

/// What the script says when it did not run the program.
fn verdict(output: &Output, token: &str) -> Option<String> {
    let text = std::str::from_utf8(&output.stdout).ok()?;
    text.strip_prefix(token).map(str::to_owned)
}

fn nothing(cmd: Value) -> TaskResult {
    let result = TaskResult::new(false).with_output("stdout", "").with_output("stderr", "").with("cmd", cmd);
    ["rc", "start", "end", "delta"].into_iter().fold(result, |result, name| result.with(name, Value::Null))
}

fn not_run(options: &Options) -> TaskResult {
    let result =
        nothing(options.shown.clone()).with("rc", 0).with("msg", "Command would have run if not in check mode");
    match options.creates.is_some() || options.removes.is_some() {
        true => result.with("changed", true),
        false => result.with("skipped", true),
    }
}

fn refused_or_skipped(options: &Options, check: bool, verdict: &str) -> Result<TaskResult, Failure> {
    let (kind, path) = verdict.split_once(' ').unwrap_or((verdict, ""));
    let skipped = |state: &str| {
        let shoulda = if check { "Would" } else { "Did" };
        let result = nothing(options.shown.clone()).with("rc", 0);
        let result = result.with_output("stdout", &format!("skipped, since {path} {state}"));
        Ok(result.with("msg", format!("{shoulda} not run command since '{path}' {state}")))
    };
    match kind {
        "creates" => skipped("exists"),
        "removes" => skipped("does not exist"),
        "check" => Ok(not_run(options)),
        "chdir" => {
            let message = format!("Unable to change directory before execution: {path}");
            Err(Failure::with(nothing(options.shown.clone()), message))
        }
        _ => Err(not_executable(options, kind == "missing", path)),
    }
}

/// ansible-core gives the error number as `rc` and the line as `cmd`; its text in brackets is Python's.
fn not_executable(options: &Options, missing: bool, program: &str) -> Failure {
    let (errno, why) = if missing { (2, "No such file or directory") } else { (13, "Permission denied") };
    let line = options.shown.as_array().map(|words| {
        let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
        words.join(" ")
    });
    let result = TaskResult::new(false).with_output("stdout", "").with_output("stderr", "").with("rc", errno);
    let result = result.with("cmd", line.map_or_else(|| options.shown.clone(), Value::from));
    Failure::with(result, format!("Error executing command: [Errno {errno}] {why}: '{program}'"))
}

fn ended(options: &Options, output: &Output, start: &Zoned, end: &Zoned) -> Result<TaskResult, Failure> {
    let text = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        if options.strip_empty_ends { text.trim_end_matches(['\r', '\n']).to_owned() } else { text }
    };
    let result = TaskResult::new(true)
        .with("cmd", options.shown.clone())
        .with_output("stdout", &text(&output.stdout))
        .with_output("stderr", &text(&output.stderr))
        .with("rc", output.status)
        .with("start", stamp(start))
        .with("end", stamp(end))
        .with("delta", delta(start, end));
    if output.status == 0 { Ok(result.with("msg", "")) } else { Err(Failure::with(result, "non-zero return code")) }
}

/// As Python prints a `datetime`.
fn stamp(time: &Zoned) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

/// As Python prints a `timedelta`.
fn delta(start: &Zoned, end: &Zoned) -> String {
    let micros = end.timestamp().as_microsecond() - start.timestamp().as_microsecond();
    let (seconds, micros) = (micros.max(0) / 1_000_000, micros.max(0) % 1_000_000);
    format!("{}:{:02}:{:02}.{micros:06}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Call, Here, shells};
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn free_form(line: &str, parameters: Value) -> Call {
        Call { free_form: Some(line.to_owned()), ..Call::new(parameters) }
    }

    #[test]
    fn arguments_reach_the_program_as_they_are() {
        let words = json!(["printf", "%s|", "a b", "$(id)", "'", "\"", "*", "", "-n", "é\n"]);
        for shell in shells() {
            let call = Call { here: Here { shell }, ..Call::new(json!({"argv": words, "strip_empty_ends": false})) };
            assert_eq!(call.result(&MODULE)["stdout"], "a b|$(id)|'|\"|*||-n|é\n|", "{shell:?}");
        }
    }

    #[test]
    fn a_line_is_split_without_a_shell() {
        let line = "printf '<%s>' $HOME '$HOME' $NOT_SET ~ a\\ b > ; # echo";
        let call = free_form(line, json!({}));
        let home = std::env::var("HOME").unwrap();
        let stdout = call.result(&MODULE)["stdout"].as_str().unwrap().to_owned();
        assert_eq!(stdout, format!("<{home}><{home}><$NOT_SET><{home}><a b><>><;><#><echo>"));
    }

    #[test]
    fn the_result_has_all_of_ansibles_keys() {
        let result = free_form("sh -c 'echo out; echo err >&2'", json!({})).result(&MODULE);
        let mut keys: Vec<_> = result.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        let expected =
            "changed cmd delta end msg rc start stderr stderr_lines stdout stdout_lines".split(' ').collect::<Vec<_>>();
        assert_eq!(keys, expected);
        assert_eq!(result["cmd"], json!(["sh", "-c", "echo out; echo err >&2"]));
        assert_eq!((&result["stdout"], &result["stderr_lines"]), (&json!("out"), &json!(["err"])));
    }

    #[rstest]
    #[case("sh -c 'exit 3'", 3, "non-zero return code", true)]
    #[case(
        "no-such-program -v",
        2,
        "Error executing command: [Errno 2] No such file or directory: 'no-such-program'",
        false
    )]
    #[case("/etc/passwd", 13, "Error executing command: [Errno 13] Permission denied: '/etc/passwd'", false)]
    #[case("cd /", 2, "Error executing command: [Errno 2] No such file or directory: 'cd'", false)]
    fn failures_say_why(#[case] line: &str, #[case] rc: i32, #[case] message: &str, #[case] changed: bool) {
        for shell in shells() {
            let call = Call { here: Here { shell }, ..free_form(line, json!({})) };
            let failure = call.failure(&MODULE);
            assert_eq!((&failure["rc"], &failure["msg"]), (&json!(rc), &json!(message)), "{shell:?}");
            assert_eq!(failure["changed"], changed);
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_a_failure() {
        let failure = free_form("true", json!({"chdir": "/not/there"})).failure(&MODULE);
        assert_eq!(failure["msg"], "Unable to change directory before execution: /not/there");
        assert_eq!(failure["rc"], Value::Null);
    }

    #[rstest]
    #[case(json!({"creates": "/etc/pass*"}), "Did not run command since '/etc/pass*' exists")]
    #[case(json!({"removes": "/not/there*"}), "Did not run command since '/not/there*' does not exist")]
    #[case(json!({"creates": "passwd", "chdir": "/etc"}), "Did not run command since 'passwd' exists")]
    fn conditions_skip(#[case] parameters: Value, #[case] message: &str) {
        for shell in shells() {
            let call = Call { here: Here { shell }, ..free_form("false", parameters.clone()) };
            let result = call.result(&MODULE);
            assert_eq!(
                (&result["msg"], &result["rc"], &result["changed"]),
                (&json!(message), &json!(0), &json!(false))
            );
        }
    }

    #[rstest]
    #[case(json!({}), json!(false), json!(true))]
    #[case(json!({"creates": "/not/there"}), json!(true), Value::Null)]
    fn check_mode_runs_nothing(#[case] parameters: Value, #[case] changed: Value, #[case] skipped: Value) {
        let call = Call { check_mode: true, ..free_form("false", parameters) };
        let result = call.result(&MODULE);
        assert_eq!(result["msg"], "Command would have run if not in check mode");
        assert_eq!(result["changed"], changed);
        assert_eq!(result.get("skipped").cloned().unwrap_or_default(), skipped);
    }

    #[rstest]
    #[case(json!({"stdin": "a"}), "a\n")]
    #[case(json!({"stdin": "a", "stdin_add_newline": "no"}), "a")]
    #[case(json!({}), "")]
    fn standard_input_ends(#[case] mut parameters: Value, #[case] expected: &str) {
        parameters["strip_empty_ends"] = json!(false);
        assert_eq!(free_form("cat", parameters).result(&MODULE)["stdout"], expected);
    }

    #[rstest]
    #[case(None, json!({}), "one of the following is required: _raw_params, cmd, argv")]
    #[case(Some("a"), json!({"cmd": "b"}), "parameters are mutually exclusive: _raw_params|cmd|argv")]
    #[case(Some("a 'b"), json!({}), "cannot split the command line into words: No closing quotation: a 'b")]
    fn refuses(#[case] line: Option<&str>, #[case] parameters: Value, #[case] message: &str) {
        let call = Call { free_form: line.map(str::to_owned), ..Call::new(parameters) };
        assert_eq!(call.failure(&MODULE)["msg"], message);
    }

    #[test]
    fn a_delta_reads_like_pythons() {
        let start: Zoned = "2026-01-02T03:04:05.5+00:00[UTC]".parse().unwrap();
        let end: Zoned = "2026-01-02T04:05:07.500001+00:00[UTC]".parse().unwrap();
        assert_eq!(delta(&start, &end), "1:01:02.000001");
        assert_eq!(stamp(&start), "2026-01-02 03:04:05.500000");
    }
}

//! Runs modules for their tests: on this machine, in a shell of the test's choice, without a run around them.

#![expect(clippy::disallowed_methods, reason = "tests run shells without a machine around them")]

use super::{Context, Failure, Invocation, Module, TaskResult};
use camino::Utf8PathBuf;
use futures::future::BoxFuture;
use remote::{Command, Output};
use serde_json::{Map, Value};
use std::io::Write;
use std::process::Stdio;

/// Those of the shells that a machine may have as its `sh` which this machine has.
pub(crate) fn shells() -> Vec<&'static [&'static str]> {
    const SHELLS: [&[&str]; 3] = [&["dash"], &["bash", "--posix"], &["busybox", "ash"]];
    let there = |shell: &&[&str]| {
        let there = std::process::Command::new(shell[0]).args(&shell[1..]).args(["-c", ":"]).status().is_ok();
        if !there {
            println!("skipped: no {}", shell.join(" "));
        }
        there
    };
    SHELLS.into_iter().filter(there).collect()
}

/// A machine that is this one, with that shell.
pub(crate) struct Here {
    pub(crate) shell: &'static [&'static str],
}

impl Default for Here {
    fn default() -> Self {
        Self { shell: &["sh"] }
    }
}

impl Here {
    /// Runs a command to its end.
    pub(crate) fn run_now(&self, command: Command) -> Output {
        let mut process = std::process::Command::new(self.shell[0]);
        process.args(&self.shell[1..]).arg("-c").arg(&command.script).arg("sh").args(&command.arguments);
        if self.shell[0] == "busybox" {
            process.env("PATH", applets());
        }
        process.envs(command.environment).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(directory) = command.directory {
            process.current_dir(directory);
        }
        let mut child = process.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A script need not read what it is given.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&command.input)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Output { status: status(output.status), stdout: output.stdout, stderr: output.stderr }
    }
}

/// A directory with BusyBox's tools, for a machine that has no others.
fn applets() -> &'static std::path::Path {
    static APPLETS: std::sync::OnceLock<tempfile::TempDir> = std::sync::OnceLock::new();
    let install = || {
        let directory = tempfile::tempdir().unwrap();
        let path = std::env::var_os("PATH").unwrap();
        let busybox = std::env::split_paths(&path).map(|at| at.join("busybox")).find(|at| at.exists()).unwrap();
        let list = std::process::Command::new("busybox").arg("--list").output().unwrap().stdout;
        for applet in String::from_utf8(list).unwrap().lines().chain(["busybox"]) {
            std::os::unix::fs::symlink(&busybox, directory.path().join(applet)).unwrap();
        }
        directory
    };
    APPLETS.get_or_init(install).path()
}

fn status(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

impl Context for Here {
    fn run(&self, command: Command) -> BoxFuture<'_, Result<Output, Failure>> {
        Box::pin(async { Ok(self.run_now(command)) })
    }

    fn run_as_login_user(&self, command: Command) -> BoxFuture<'_, Result<Output, Failure>> {
        self.run(command)
    }

    fn render_file(&self, text: &str, _: &str, options: &template::FileOptions) -> Result<String, Failure> {
        let variable = format!("{} who {}", options.variable_start_string, options.variable_end_string);
        Ok(text.replace(&variable, "world"))
    }

    fn evaluate(&self, expression: &str) -> Result<Value, Failure> {
        match expression {
            "yes" => Ok(Value::Bool(true)),
            "no" => Ok(Value::Bool(false)),
            "word" => Ok(Value::from("word")),
            other => Err(Failure::message(format!("'{other}' is undefined"))),
        }
    }
}

/// A JSON object as parameters.
pub(crate) fn parameters(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no mapping"),
    }
}

/// A call of a module in a test.
pub(crate) struct Call {
    pub(crate) here: Here,
    pub(crate) parameters: Value,
    pub(crate) free_form: Option<String>,
    pub(crate) check_mode: bool,
    pub(crate) diff: bool,
    pub(crate) search_path: Vec<Utf8PathBuf>,
}

impl Call {
    /// With those parameters and nothing else.
    pub(crate) fn new(parameters: Value) -> Self {
        let here = Here::default();
        Self { here, parameters, free_form: None, check_mode: false, diff: false, search_path: Vec::new() }
    }

    /// What the module says, success or failure.
    pub(crate) fn of(&self, module: &Module) -> Result<TaskResult, Failure> {
        let invocation = Invocation {
            parameters: parameters(self.parameters.clone()),
            free_form: self.free_form.clone(),
            check_mode: self.check_mode,
            diff: self.diff,
            search_path: self.search_path.clone(),
            context: &self.here,
        };
        futures::executor::block_on((module.run)(&invocation))
    }

    /// The return values of a module that succeeds.
    pub(crate) fn result(&self, module: &Module) -> Value {
        match self.of(module) {
            Ok(result) => Value::Object(result.0),
            Err(failure) => panic!("{}", message(failure)),
        }
    }

    /// The return values of a module that fails.
    pub(crate) fn failure(&self, module: &Module) -> Value {
        match self.of(module) {
            Ok(result) => panic!("{result:?}"),
            Err(Failure::Task(result)) => Value::Object(result.0),
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// A failure's message.
pub(crate) fn message(failure: Failure) -> String {
    match failure {
        Failure::Task(result) => result.0["msg"].as_str().unwrap_or_default().to_owned(),
        Failure::Unreachable(error) => error.to_string(),
    }
}

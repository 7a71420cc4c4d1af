//! What the tests of this crate share: folders with playbooks, and small modules, so that the engine can be tried without
//! the real ones.

use crate::modules::{Failure, Invocation, Kind, Module, Parameter, TaskResult};
use crate::{Playbook, Sources};
use camino::Utf8PathBuf;
use futures::future::BoxFuture;
use serde_json::Value;

/// A folder for playbooks that goes away.
pub(crate) struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.folder.path().join(name)).expect("UTF-8")
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> Utf8PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        std::fs::write(&path, text).expect("writable");
        path
    }

    /// Reads a playbook with the test modules.
    pub(crate) fn load(&self, text: &str) -> Playbook {
        let path = self.write("site.yml", text);
        Playbook::load(&path, &Sources { modules: MODULES }).expect("readable YAML")
    }
}

/// The test modules.
pub(crate) const MODULES: &[&Module] = &[&DEBUG, &FAIL, &SET_FACT, &COMMAND, &CHANGE];

const fn parameter(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, aliases: &[], kind, required: false, choices: &[], default: None, summary: "" }
}

const fn module(name: &'static str, parameters: &'static [Parameter], run: Run) -> Module {
    Module { name, summary: "", parameters, free_form: false, open: false, needs_machine: false, run }
}

type Run = for<'a> fn(&'a Invocation<'a>) -> BoxFuture<'a, Result<TaskResult, Failure>>;

static DEBUG: Module = module("debug", &[parameter("msg", Kind::Raw), parameter("var", Kind::String)], |invocation| {
    Box::pin(async {
        if let Some(Value::String(expression)) = invocation.parameters.get("var") {
            return Ok(TaskResult::new(false).with(expression, invocation.context.evaluate(expression)?));
        }
        let msg = invocation.parameters.get("msg").cloned().unwrap_or_else(|| "Hello world!".into());
        Ok(TaskResult::new(false).with("msg", msg))
    })
});

static FAIL: Module = module("fail", &[parameter("msg", Kind::String)], |invocation| {
    Box::pin(async {
        let msg = invocation.parameters.get("msg").and_then(Value::as_str).unwrap_or("Failed as requested from task");
        Err(Failure::message(msg))
    })
});

static SET_FACT: Module = Module {
    open: true,
    ..module("set_fact", &[], |invocation| {
        Box::pin(async { Ok(TaskResult::new(false).with("ansible_facts", invocation.parameters.clone())) })
    })
};

/// `command`, by the shell.
static COMMAND: Module = Module {
    free_form: true,
    needs_machine: true,
    ..module("command", &[parameter("chdir", Kind::Path), parameter("creates", Kind::Path)], |invocation| {
        Box::pin(async {
            let script = invocation.free_form.clone().unwrap_or_default();
            let output = invocation.context.run(remote::Command { script, ..remote::Command::default() }).await?;
            let result = TaskResult::new(true)
                .with("rc", output.status)
                .with("stdout", String::from_utf8_lossy(&output.stdout).trim_end())
                .with("stderr", String::from_utf8_lossy(&output.stderr).trim_end());
            if output.status == 0 { Ok(result) } else { Err(Failure::with(result, "non-zero return code")) }
        })
    })
};

/// Changes something, whatever it is given: `changed` says whether.
static CHANGE: Module = module(
    "copy",
    &[
        Parameter { required: true, aliases: &["name"], ..parameter("dest", Kind::Path) },
        parameter("content", Kind::String),
        Parameter { choices: &["on", "off"], ..parameter("follow", Kind::String) },
        Parameter { default: Some("1"), ..parameter("count", Kind::Integer) },
        parameter("items", Kind::List),
        parameter("force", Kind::Bool),
    ],
    |invocation| {
        Box::pin(async {
            let result = TaskResult::new(!invocation.check_mode || invocation.diff);
            Ok(result.with("invocation_parameters", invocation.parameters.clone()))
        })
    },
);

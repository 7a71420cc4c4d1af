//! How a module's script and its Rust half talk: values go out as arguments and standard input, answers come back as
//! `name=value` fields, each ended by NUL, so that paths and messages may hold any text.

use super::{Failure, TaskResult};
use remote::{Command, Output};
use std::hash::{BuildHasher, RandomState};

/// What the run asks of a module's script.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mode {
    /// Change nothing, tell what would change.
    pub(crate) check: bool,
    /// Tell what changes, line by line.
    pub(crate) diff: bool,
}

impl Mode {
    /// As the invocation has it.
    pub(crate) fn of(invocation: &super::Invocation<'_>) -> Self {
        Self { check: invocation.check_mode, diff: invocation.diff }
    }
}

/// The functions that the scripts share; they stand before each script that uses them.
const LIBRARY: &str = include_str!("library.sh");

/// A command that runs the shared functions and then `script`.
pub(crate) fn with_library(script: &str, arguments: Vec<String>) -> Command {
    Command { script: strip_comments(&format!("{LIBRARY}{script}")), arguments, ..Command::default() }
}

/// Comments are for the reader of the repository; the machine need not be sent them.
fn strip_comments(script: &str) -> String {
    let mut stripped = String::with_capacity(script.len());
    for line in script.lines().filter(|line| !line.trim_start().starts_with('#')) {
        stripped.push_str(line);
        stripped.push('\n');
    }
    stripped
}

/// A flag as the scripts test it: `1` or nothing.
pub(crate) fn flag(value: bool) -> String {
    if value { "1".to_owned() } else { String::new() }
}

/// A name for a temporary file that nobody else has.
pub(crate) fn unique() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}

/// The fields that a script has written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    fields: Vec<(String, String)>,
    /// What follows the field `payload`, as it came.
    payload: Option<Vec<u8>>,
}

impl Fields {
    /// Reads a script's output. A script that ended by itself without saying `end` has met something unforeseen.
    pub(crate) fn read(output: &Output) -> Result<Self, Failure> {
        let mut found = Self::default();
        let mut rest = output.stdout.as_slice();
        let mut ended = false;
        while let Some(length) = rest.iter().position(|byte| *byte == 0) {
            let (field, after) = (String::from_utf8_lossy(&rest[..length]).into_owned(), &rest[length + 1..]);
            match field.split_once('=') {
                Some(("payload", _)) => {
                    found.payload = Some(after.to_vec());
                    ended = true;
                    break;
                }
                Some((name, value)) => found.fields.push((name.to_owned(), value.to_owned())),
                None => ended |= field == "end",
            }
            rest = after;
        }
        if ended && output.status == 0 { Ok(found) } else { Err(unforeseen(output)) }
    }

    /// The last value of a field.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().rev().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// The values of a field that may come several times.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Whether a flag is set.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.get(name) == Some("1")
    }

    /// A number.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.trim().parse().ok()
    }

    /// What came after the fields.
    pub(crate) fn payload(&self) -> Option<&[u8]> {
        self.payload.as_deref()
    }

    /// The script's own refusal, if it has one, with the fields whose names begin with `with_` as return values.
    pub(crate) fn refusal(&self) -> Option<Failure> {
        let message = self.get("refusal")?;
        let mut result = TaskResult::new(self.is_set("changed"));
        for (name, value) in &self.fields {
            if let Some(name) = name.strip_prefix("with_") {
                result = with_text(result, name, value);
            }
        }
        Some(Failure::with(super::attributes::with_path_info(result, self), message))
    }
}

/// A return value of a refusal; `rc` and the like are numbers, standard streams come with their lines.
fn with_text(result: TaskResult, name: &str, value: &str) -> TaskResult {
    match (name, value.parse::<i64>()) {
        ("rc" | "exit_status", Ok(number)) => result.with(name, number),
        ("stdout" | "stderr", _) => result.with_output(name, value),
        _ => result.with(name, value),
    }
}

fn unforeseen(output: &Output) -> Failure {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let result = TaskResult::new(false)
        .with("rc", output.status)
        .with("module_stderr", stderr.clone())
        .with("module_stdout", String::from_utf8_lossy(&output.stdout).replace('\0', "\n"));
    let last = stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Failure::with(result, format!("the module's script ended with status {}: {}", output.status, last.trim()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::message;
    use super::*;

    fn output(stdout: &str) -> Output {
        Output { status: 0, stdout: stdout.as_bytes().to_vec(), stderr: b"sh: boom\n".to_vec() }
    }

    #[test]
    fn fields_hold_any_text() {
        let fields = Fields::read(&output("path=/a=b\nc\0n=1\0n=2\0end\0")).ok().unwrap();
        assert_eq!(fields.get("path"), Some("/a=b\nc"));
        assert_eq!(fields.number("n"), Some(2));
        assert_eq!(fields.all("n").collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn a_payload_comes_as_it_is() {
        let fields = Fields::read(&output("a=1\0payload=\0x\0y=z\0")).ok().unwrap();
        assert_eq!(fields.payload(), Some(&b"x\0y=z\0"[..]));
        assert_eq!(fields.get("y"), None);
    }

    #[test]
    fn a_script_that_broke_off_is_a_failure_with_its_last_words() {
        let failure = Fields::read(&Output { status: 2, ..output("a=1\0") }).unwrap_err();
        assert_eq!(message(failure), "the module's script ended with status 2: sh: boom");
    }

    #[test]
    fn a_refusal_brings_its_values() {
        let fields = Fields::read(&output("with_rc=2\0with_stderr=x\ny\0refusal=no\0end\0")).ok().unwrap();
        let Some(Failure::Task(result)) = fields.refusal() else { panic!("no refusal") };
        assert_eq!(result.0["msg"], "no");
        assert_eq!(result.0["rc"], 2);
        assert_eq!(result.0["stderr_lines"], serde_json::json!(["x", "y"]));
    }

    #[test]
    fn comments_stay_at_home() {
        assert_eq!(strip_comments("# why\na # b\n  # c\n"), "a # b\n");
    }

    /// Every script of the modules.
    fn scripts() -> Vec<std::path::PathBuf> {
        fn walk(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else if path.extension().is_some_and(|extension| extension == "sh") {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        walk(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/modules"), &mut found);
        assert!(found.len() >= 8, "{found:?}");
        found
    }

    #[expect(clippy::disallowed_methods, reason = "tests run what they compare with")]
    #[test]
    fn scripts_are_read_by_every_shell_and_by_shellcheck() {
        let scripts = scripts();
        for shell in super::super::testing::shells() {
            for script in &scripts {
                let mut process = std::process::Command::new(shell[0]);
                let output = process.args(&shell[1..]).arg("-n").arg(script).output().unwrap();
                assert!(output.status.success(), "{shell:?}: {}", String::from_utf8_lossy(&output.stderr));
            }
        }
        match std::process::Command::new("shellcheck").args(["-s", "sh"]).args(&scripts).output() {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
            Err(_) => println!("skipped: no shellcheck"),
        }
    }
}

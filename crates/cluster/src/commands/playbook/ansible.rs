//! The other engine: the real `ansible-playbook`, as a process of ours.

use crate::context::Context;
use crate::exit::{Failure, Result};
use crate::in_memory;
use diagnostic::Exit;
use indexmap::IndexMap;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::Write;
use std::process::Stdio;
use std::time::Duration;
use tempfile::NamedTempFile;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;
use yaml::{Node, Value as Yaml};

/// The program of the other engine.
pub(super) const ANSIBLE: &str = "ansible-playbook";

/// Variables with which Ansible is told of vault passwords.
const VAULT_VARIABLES: [&str; 2] = ["ANSIBLE_VAULT_PASSWORD_FILE", "ANSIBLE_VAULT_IDENTITY_LIST"];

/// How long it may take to end by itself after Ctrl-C, which the terminal sends to it as well.
const GRACE: Duration = Duration::from_secs(3);

/// Where its output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stdout {
    /// To standard output, as if it had been called itself.
    Own,
    /// To standard error, where all progress goes.
    Progress,
}

/// Whether it can be started.
pub(super) fn is_installed() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(ANSIBLE).is_file())
}

/// Runs it, and returns its exit code.
#[expect(clippy::disallowed_methods, reason = "the other engine is a program on this machine")]
pub(crate) async fn run_ansible(
    arguments: &[String],
    stdout: Stdout,
    context: &Context,
    cancel: &CancellationToken,
) -> Result<u8> {
    let failed = |error| Failure::new(Exit::Failed, format!("`{ANSIBLE}` could not be run")).because(error);
    let mut command = Command::new(ANSIBLE);
    command.args(arguments).kill_on_drop(true);
    // What they say stands in the arguments already; said twice, it would be asked for twice.
    VAULT_VARIABLES.iter().for_each(|name| {
        command.env_remove(name);
    });
    // Its lines are no JSON, which whoever asked for JSON reads from standard output.
    if stdout == Stdout::Progress || context.output.is_json() {
        command.stdout(Stdio::from(std::io::stderr()));
    }
    let mut child = command.spawn().map_err(failed)?;
    let ended = tokio::select! {
        ended = child.wait() => ended,
        () = cancel.cancelled() => end(&mut child).await,
    };
    Ok(ended.map_err(failed)?.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// A signal that came from the terminal reached it as well; one that was meant for us alone is passed on.
async fn end(child: &mut Child) -> std::io::Result<std::process::ExitStatus> {
    if let Ok(ended) = tokio::time::timeout(GRACE, child.wait()).await {
        return ended;
    }
    if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
        // It may have ended in this moment.
        let _gone = kill_process(pid, Signal::TERM);
    }
    child.wait().await
}

/// A file that only this user can read and that goes away with the value: what stands in arguments, every user can read.
pub(crate) fn private_file(content: &[u8]) -> Result<NamedTempFile> {
    let failed = |error| Failure::new(Exit::Failed, "a temporary file could not be written").because(error);
    let folder = in_memory::folder().map_or_else(std::env::temp_dir, Into::into);
    let mut file = NamedTempFile::with_prefix_in("cluster-", folder).map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    Ok(file)
}

/// Variables as a file for `--extra-vars @FILE`: JSON, which is YAML as well, and `!unsafe` where braces mean nothing.
pub(crate) fn variables_file(variables: &IndexMap<String, Node>) -> String {
    let entries: Vec<_> =
        variables.iter().map(|(name, node)| format!("{}: {}", quoted(name), flow(node, node.is_unsafe))).collect();
    format!("{{{}}}\n", entries.join(", "))
}

fn flow(node: &Node, is_unsafe: bool) -> String {
    let is_unsafe = is_unsafe || node.is_unsafe;
    match &node.value {
        Yaml::String(text) if is_unsafe => format!("!unsafe {}", quoted(text)),
        Yaml::Sequence(items) => {
            let items: Vec<_> = items.iter().map(|item| flow(item, is_unsafe)).collect();
            format!("[{}]", items.join(", "))
        }
        Yaml::Mapping(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", quoted(&key.to_key()), flow(value, is_unsafe)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        _ => node.to_data().to_string(),
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use diagnostic::Position;
    use serde_json::json;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn variables_are_yaml_in_which_braces_of_values_mean_nothing() {
        let here = Position::new("test", 1, 1);
        let node = |value| Node::from_data(&value, here.clone());
        let variables = IndexMap::from([
            ("version".to_owned(), node(json!("{{ tag }}"))),
            (
                "service_values".to_owned(),
                node(json!({"a": ["{{ $labels.x }}", 1, null], "b": "say \"hi\"\n"})).into_unsafe(),
            ),
        ]);
        let text = variables_file(&variables);
        assert_eq!(
            text,
            "{\"version\": \"{{ tag }}\", \"service_values\": {\"a\": [!unsafe \"{{ $labels.x }}\", 1, null], \
             \"b\": !unsafe \"say \\\"hi\\\"\\n\"}}\n"
        );
        let read = yaml::load_one("vars", &text).unwrap();
        assert_eq!(read.to_data()["service_values"], json!({"a": ["{{ $labels.x }}", 1, null], "b": "say \"hi\"\n"}));
    }

    #[test]
    fn only_the_user_reads_a_private_file_and_it_goes_away() {
        let file = private_file(b"password").unwrap();
        let path = file.path().to_owned();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "password");
        drop(file);
        assert!(!path.exists());
    }
}

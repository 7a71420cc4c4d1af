//! Other programs: where they are, and what they say.

use camino::{Utf8Path, Utf8PathBuf};
use std::process::Command;

/// What a program left.
pub(super) struct Said {
    pub(super) done: bool,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// A program of the project's Python environment (`scripts/venv.sh`), else of `PATH`.
pub(super) fn of_python(root: &Utf8Path, name: &str) -> Option<Utf8PathBuf> {
    let own = root.join(".tools/venv/bin").join(name);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).filter_map(|folder| Utf8PathBuf::from_path_buf(folder).ok());
    let mut places = std::iter::once(own).chain(folders.map(|folder| folder.join(name)));
    places.find(|path| path.is_file()).map(|path| camino::absolute_utf8(&path).unwrap_or(path))
}

/// Runs it to its end, in the project's folder.
#[expect(clippy::disallowed_methods, reason = "Helm and Ansible are asked about files here, not about machines")]
pub(super) fn run(
    program: &Utf8Path,
    root: &Utf8Path,
    arguments: &[String],
    settings: &[(&str, &str)],
) -> Result<Said, String> {
    let mut command = Command::new(program);
    // Ansible's programs look for each other in PATH.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = program.parent().map(|folder| folder.as_std_path().to_owned()).into_iter();
    if let Ok(path) = std::env::join_paths(folders.chain(std::env::split_paths(&path))) {
        command.env("PATH", path);
    }
    let folder = if root == "" { Utf8Path::new(".") } else { root };
    // What playbooks decrypt when they run is not asked for here.
    command.env_remove("ANSIBLE_VAULT_PASSWORD_FILE").env_remove("ANSIBLE_VAULT_IDENTITY_LIST");
    command.args(arguments).envs(settings.iter().copied()).current_dir(folder).stdin(std::process::Stdio::null());
    let output = command.output().map_err(|error| format!("`{program}` can't be started: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Said { done: output.status.success(), stdout: text(&output.stdout), stderr: text(&output.stderr) })
}

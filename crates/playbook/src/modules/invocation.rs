//! What a module is given when it runs.

use super::Failure;
use camino::{Utf8Path, Utf8PathBuf};
use futures::future::BoxFuture;
use serde_json::{Map, Value};

/// One call of a module on one host: its parameters, rendered and under their main names, and its
/// surroundings. Defaults are filled in by whoever reads them.
pub struct Invocation<'a> {
    /// Parameters by Ansible's main name.
    pub parameters: Map<String, Value>,
    /// The free-form line, rendered.
    pub free_form: Option<String>,
    /// `--check`, or the task's `check_mode`.
    pub check_mode: bool,
    /// `--diff`, or the task's `diff`.
    pub diff: bool,
    /// Where relative `src` paths are looked for, in order (Ansible's search path: `files/` or `templates/` beside the role or
    /// playbook, then the folder itself). The executor has put the folders in order; a module adds the kind.
    pub search_path: Vec<Utf8PathBuf>,
    /// The host and the variables.
    pub context: &'a dyn Context,
}

/// What the executor offers to modules. A trait, so that a module can be tested without a run.
pub trait Context: Send + Sync {
    /// Runs a command on the task's machine, as the task's user (`become`), with the task's `environment` added.
    fn run(&self, command: remote::Command) -> BoxFuture<'_, Result<remote::Output, Failure>>;

    /// Runs a command on the machine as the login user, even when the task becomes another.
    fn run_as_login_user(&self, command: remote::Command) -> BoxFuture<'_, Result<remote::Output, Failure>>;

    /// Renders the text of a template file (`template`), with Ansible's settings for files.
    fn render_file(&self, text: &str, name: &str, options: &template::FileOptions) -> Result<String, Failure>;

    /// Evaluates a bare Jinja expression (`assert: that:`, `debug: var:`) to its native value.
    fn evaluate(&self, expression: &str) -> Result<Value, Failure>;

    /// Whether a condition holds (`assert: that:`), which may also be written as a template.
    fn condition(&self, condition: &str) -> Result<bool, Failure> {
        super::assert::verdict(&self.evaluate(condition)?)
    }

    /// How many `-v` the run has (`debug: verbosity:`).
    fn verbosity(&self) -> u8 {
        0
    }

    /// The text of a file that Ansible Vault has encrypted (`copy: src:` and `template: src:` read such files). From then on
    /// the task does not show the content of files.
    fn decrypt(&self, _encrypted: &[u8], _path: &Utf8Path) -> Result<Vec<u8>, Failure> {
        Err(Failure::message("Attempting to decrypt but no vault secrets found."))
    }
}

//! A copy of this project in a folder of its own, in which `cluster` is run as a user would.

use anyhow::{Context, Result, bail, ensure};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A clone without history, committed once. Its sandbox, if it has one, is ended when this is dropped.
pub struct Project {
    folder: TempDir,
}

/// What a command left.
#[derive(Debug)]
pub struct Ended {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// The root of this repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// The folder of the Go tools.
pub fn tools() -> PathBuf {
    std::env::var_os("CLUSTER_TOOLS_DIR").map_or_else(|| root().join(".tools/bin"), PathBuf::from)
}

/// A program of the reference's Python environment, such as `ansible-playbook`.
pub fn reference(program: &str) -> Result<PathBuf> {
    let path = root().join(".tools/venv/bin").join(program);
    ensure!(path.is_file(), "{} is missing: run `scripts/venv.sh`", path.display());
    Ok(path)
}

/// The `cluster` that cargo built beside this test.
pub fn cluster() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.ancestors().nth(2).context("a test lies in target/<profile>/deps")?;
    let binary = folder.join("cluster");
    ensure!(binary.is_file(), "{} is missing: run `cargo build --package cluster`", binary.display());
    Ok(binary)
}

impl Project {
    /// Copies what git tracks and what it does not ignore.
    pub fn new() -> Result<Self> {
        let folder = TempDir::with_prefix("cluster-project-")?;
        let copy = "cd \"$1\" && git ls-files --cached --others --exclude-standard -z -- build ansible cluster.toml .gitignore \
                    | tar -c --null -T - -f - | tar -x -f - -C \"$2\"";
        let copied = Command::new("sh").args(["-c", copy, "sh"]).arg(root()).arg(folder.path()).status()?;
        ensure!(copied.success(), "the project could not be copied");
        let project = Self { folder };
        for arguments in [
            &["init", "--quiet", "--initial-branch=main"][..],
            &["add", "--all"],
            &["-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "--message=start"],
            &["tag", "start"],
        ] {
            project.git(arguments)?;
        }
        Ok(project)
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs git in it.
    pub fn git(&self, arguments: &[&str]) -> Result<()> {
        let ended = Command::new("git").args(arguments).current_dir(self.path()).output()?;
        ensure!(ended.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
        Ok(())
    }

    /// Writes a file of it.
    pub fn write(&self, path: &str, text: &str) -> Result<PathBuf> {
        let path = self.path().join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// `cluster` in it, not started yet: no terminal, none of the caller's settings.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Result<Command> {
        let mut command = Command::new(cluster()?);
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        for name in [
            "KUBECONFIG",
            "CLUSTER_TARGET",
            "CLUSTER_CONFIG",
            "ANSIBLE_INVENTORY",
            "ANSIBLE_VERBOSITY",
            "ANSIBLE_VAULT_PASSWORD_FILE",
            "ANSIBLE_VAULT_IDENTITY_LIST",
        ] {
            command.env_remove(name);
        }
        command.env("CLUSTER_TOOLS_DIR", tools());
        Ok(command)
    }

    /// Runs `cluster` to its end.
    pub fn cluster<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Result<Ended> {
        Ok(Ended::from(self.command(arguments)?.output()?))
    }

    /// Runs `cluster`, which must end well.
    pub fn done<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Result<Ended> {
        let ended = self.cluster(arguments)?;
        if ended.code != Some(0) {
            bail!("exit code {:?}\n{}\n{}", ended.code, ended.stdout, ended.stderr);
        }
        Ok(ended)
    }

    /// Runs kubectl against its sandbox; what it prints.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(tools().join("kubectl"));
        self.tool(command.args(arguments))
    }

    /// Runs Helm 3 against its sandbox; what it prints.
    pub fn helm(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(tools().join("helm"));
        self.tool(command.args(arguments))
    }

    fn tool(&self, command: &mut Command) -> Result<String> {
        let output = command.env("KUBECONFIG", self.kubeconfig()).output().context("run `make tools`")?;
        ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The kubeconfig of its sandbox.
    pub fn kubeconfig(&self) -> PathBuf {
        self.path().join(".cluster/sandbox/kubeconfig")
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if self.path().join(".cluster").exists()
            && let Ok(ended) = self.cluster(["sandbox", "down"])
            && ended.code != Some(0)
        {
            eprintln!("the sandbox of {} could not be ended: {}", self.path().display(), ended.stderr);
        }
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

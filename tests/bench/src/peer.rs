//! What is compared: programs that do the same work, and the two floors under them.

use crate::machine::Machine;
use crate::work::Work;
use anyhow::{Context, Result, bail, ensure};
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// One of those that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Peer {
    /// `ansible-playbook` as it comes.
    AnsibleCore,
    /// The same with Mitogen's strategy, which keeps a Python process on the machine.
    Mitogen,
    /// `cluster playbook run`.
    Ours,
    /// One `ssh host sh` with all steps as a plain script; one for each host, side by side.
    Floor,
    /// `ssh host true`.
    Connect,
}

/// How long a run took, and what it printed.
pub struct Ran {
    /// From the start of the process to its end.
    pub duration: Duration,
    /// Both outputs.
    pub text: String,
}

impl Peer {
    /// All of them, in the order of the table's columns.
    pub const ALL: [Self; 5] = [Self::AnsibleCore, Self::Mitogen, Self::Ours, Self::Floor, Self::Connect];

    /// The name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::AnsibleCore => "ansible-core",
            Self::Mitogen => "mitogen",
            Self::Ours => "cluster",
            Self::Floor => "one ssh (floor)",
            Self::Connect => "ssh true",
        }
    }

    /// Whether it takes so long that it is run less often.
    pub fn is_slow(self) -> bool {
        matches!(self, Self::AnsibleCore | Self::Mitogen)
    }

    /// Whether it does the work, and says what it changed.
    pub fn reports(self) -> bool {
        !matches!(self, Self::Floor | Self::Connect)
    }

    /// Its version, or why it can't be measured.
    pub fn version(self) -> Result<String> {
        match self {
            Self::AnsibleCore => package("venv", "ansible-core"),
            Self::Mitogen => package("venv-bench", "mitogen"),
            Self::Ours => {
                support::cluster()?;
                Ok(env!("CARGO_PKG_VERSION").to_owned())
            }
            Self::Floor | Self::Connect => Ok(String::new()),
        }
    }

    /// Runs it once.
    pub fn run(self, machine: &Machine, work: &Work) -> Result<Ran> {
        match self {
            Self::AnsibleCore => timed(vec![ansible("venv", machine)]),
            Self::Mitogen => {
                let mut command = ansible("venv-bench", machine);
                command.env("ANSIBLE_STRATEGY", "mitogen_linear").env("ANSIBLE_STRATEGY_PLUGINS", strategies()?);
                timed(vec![command])
            }
            Self::Ours => {
                let mut command = clean(support::cluster()?, machine);
                command.args(["playbook", "run", "--engine", "native", "-i", "hosts.ini", "site.yml"]);
                timed(vec![command])
            }
            Self::Floor => {
                let scripts = work.host_names().into_iter().map(|host| {
                    let mut command = machine.ssh();
                    command.arg("sh").stdin(File::open(machine.here().join(format!("{host}.sh")))?);
                    Ok(command)
                });
                timed(scripts.collect::<Result<_>>()?)
            }
            Self::Connect => {
                let mut command = machine.ssh();
                command.arg("true").stdin(Stdio::null());
                timed(vec![command])
            }
        }
    }
}

fn environment(name: &str) -> PathBuf {
    support::root().join(".tools").join(name)
}

/// The version of an installed Python package.
fn package(place: &str, name: &str) -> Result<String> {
    let pip = environment(place).join("bin/python");
    ensure!(pip.is_file(), "{name} is not installed; scripts/bench.sh tries to");
    let program = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))";
    let output = Command::new(pip).args(["-c", program, name]).output()?;
    ensure!(output.status.success(), "{name} is not installed; scripts/bench.sh tries to");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Where Mitogen's strategies lie.
fn strategies() -> Result<PathBuf> {
    let library = environment("venv-bench").join("lib");
    let folders = std::fs::read_dir(&library).with_context(|| library.display().to_string())?;
    let inside = "site-packages/ansible_mitogen/plugins/strategy";
    let mut found = folders.flatten().map(|python| python.path().join(inside)).filter(|path| path.is_dir());
    found.next().context("Mitogen has no strategies")
}

fn ansible(place: &str, machine: &Machine) -> Command {
    let mut command = clean(environment(place).join("bin/ansible-playbook"), machine);
    // An empty file: default settings, whatever this machine's /etc/ansible has.
    command.env("ANSIBLE_CONFIG", "ansible.cfg").args(["-i", "hosts.ini", "site.yml"]);
    command
}

/// A program with nothing of the caller's settings.
pub fn clean(program: impl AsRef<OsStr>, machine: &Machine) -> Command {
    let mut command = Command::new(program);
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("LANG", "C.UTF-8").env("HOME", machine.here().join("home"));
    command.current_dir(machine.here()).stdin(Stdio::null());
    command
}

/// Starts all, waits for all. Each must end well.
pub fn timed(commands: Vec<Command>) -> Result<Ran> {
    let log = tempfile::NamedTempFile::new()?;
    let begun = Instant::now();
    let mut running = Vec::new();
    for mut command in commands {
        let outputs = (log.reopen_at_end()?, log.reopen_at_end()?);
        let child = command.stdout(outputs.0).stderr(outputs.1).spawn().with_context(|| format!("{command:?}"))?;
        running.push((command, child));
    }
    let ended: Vec<_> = running.into_iter().map(|(command, child)| (command, wait(child))).collect();
    let duration = begun.elapsed();
    let text = read(log.path())?;
    for (command, status) in ended {
        match status? {
            Some(0) => {}
            code => bail!("{command:?} ended with {code:?}:\n{text}"),
        }
    }
    Ok(Ran { duration, text })
}

fn wait(mut child: Child) -> Result<Option<i32>> {
    Ok(child.wait()?.code())
}

fn read(path: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Several writers to one file, none over the other.
trait Append {
    fn reopen_at_end(&self) -> std::io::Result<File>;
}

impl Append for tempfile::NamedTempFile {
    fn reopen_at_end(&self) -> std::io::Result<File> {
        File::options().append(true).open(self.path())
    }
}

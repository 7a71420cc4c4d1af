//! Processes that outlive the command that started them.

use crate::{Component, Error};
use camino::Utf8Path;
use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A process id with the moment when that process began, since the system gives ids again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) pid: i32,
    /// Opaque: boot and clock ticks since then on Linux, a date elsewhere.
    started: String,
}

/// A log longer than this is put aside when its component starts again.
const LOG_LIMIT_BYTES: u64 = 16 * 1024 * 1024;

/// What a component may see of our environment: `ETCD_*` or a proxy of the caller would change what it does.
const INHERITED: [&str; 5] = ["PATH", "HOME", "TMPDIR", "TZ", "LANG"];

impl Identity {
    /// The identity of a running process.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        look_up(pid).map(|found| Self { pid, started: found.started })
    }

    /// Ours.
    #[cfg(test)]
    pub(crate) fn of_this_process() -> Self {
        Self::of(std::process::id().cast_signed()).expect("this process runs")
    }

    /// Whether exactly this process is still there.
    pub(crate) fn is_alive(&self) -> bool {
        self.found().is_some()
    }

    /// Whether it is there, but only to free what it holds.
    fn is_ending(&self) -> bool {
        self.found().is_some_and(|found| found.is_ending)
    }

    fn found(&self) -> Option<Found> {
        look_up(self.pid).filter(|found| found.started == self.started)
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.is_alive()) {
            // It may have ended by now, which is what was wanted.
            let _ = rustix::process::kill_process(pid, signal);
        }
    }
}

/// What the system knows of a process id.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    started: String,
    /// Killed, but its ports and files are not free yet.
    is_ending: bool,
}

/// `None` if there is no such process or only its exit code is left (a zombie).
#[cfg(target_os = "linux")]
fn look_up(pid: i32) -> Option<Found> {
    let found = parse_stat(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?;
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    // A killed process gives back its memory, and its arguments with it, before it shows as a zombie.
    let has_memory = !std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|arguments| arguments.is_empty());
    let is_ending = found.is_ending || !has_memory;
    Some(Found { started: format!("{}/{}", boot.trim(), found.started), is_ending })
}

/// Reads a line of `/proc/<pid>/stat` (proc(5)). A killed process whose first thread has gone shows as a zombie while its
/// other threads still hold its ports and files.
#[cfg(any(target_os = "linux", test))]
fn parse_stat(stat: &str) -> Option<Found> {
    // The second field is the name in parentheses and may hold anything; the state is the third field, the number of
    // threads the 20th, the start time the 22nd.
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace();
    let is_zombie = matches!(fields.next()?, "Z" | "X");
    let threads: u32 = fields.nth(16)?.parse().ok()?;
    let started = fields.nth(1)?.to_owned();
    (!is_zombie || threads > 1).then_some(Found { started, is_ending: is_zombie })
}

/// `None` if there is no such process or only its exit code is left (a zombie).
#[cfg(not(target_os = "linux"))]
#[expect(clippy::disallowed_methods, reason = "the system tells of processes by a program here")]
fn look_up(pid: i32) -> Option<Found> {
    let output = std::process::Command::new("ps")
        .args(["-o", "stat=,lstart=", "-p", &pid.to_string()])
        .env("LC_ALL", "C")
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (state, date) = text.trim().split_once(char::is_whitespace)?;
    (!state.starts_with('Z')).then(|| Found { started: date.trim().to_owned(), is_ending: false })
}

/// Starts a component in a process group of its own, so that neither Ctrl-C nor a closed terminal reaches it.
#[expect(clippy::disallowed_methods, reason = "the sandbox runs its own programs")]
pub(crate) fn start(
    component: Component,
    program: &Utf8Path,
    arguments: &[String],
    log: &Utf8Path,
) -> Result<Identity, Error> {
    let output = open_log(log)?;
    let errors = output.try_clone().map_err(Error::file("open", log))?;
    let failed = |source| Error::Start { component, program: program.to_owned(), source };
    let mut command = tokio::process::Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(INHERITED.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .process_group(0);
    if component == Component::Controller
        && let Some(filter) = std::env::var_os("CLUSTER_LOG")
    {
        command.env("CLUSTER_LOG", filter);
    }
    let child = command.spawn().map_err(failed)?;
    // `None` only if it has been waited for, which nobody did.
    let pid = child.id().unwrap_or_default().cast_signed();
    // One that ended at once is found dead by whoever waits for it.
    Ok(Identity::of(pid).unwrap_or(Identity { pid, started: "never".to_owned() }))
}

fn open_log(path: &Utf8Path) -> Result<File, Error> {
    if path.metadata().is_ok_and(|log| log.len() > LOG_LIMIT_BYTES) {
        std::fs::rename(path, path.with_extension("log.1")).map_err(Error::file("rename", path))?;
    }
    File::options().append(true).create(true).open(path).map_err(Error::file("open", path))
}

/// Asks processes to end, and ends those by force that have not after `grace`. Returns those that are still there.
pub(crate) async fn terminate(processes: &[Identity], grace: Duration) -> Vec<Identity> {
    /// A killed process is gone as soon as the kernel has freed its memory.
    const KILL_GRACE: Duration = Duration::from_secs(5);
    let mut left = processes.to_vec();
    for (signal, patience) in [(Signal::TERM, grace), (Signal::KILL, KILL_GRACE)] {
        left.iter().for_each(|process| process.signal(signal));
        let began = Instant::now();
        loop {
            left.retain(Identity::is_alive);
            if left.is_empty() || began.elapsed() >= patience {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    left
}

/// Waits until processes that were killed a moment ago are gone, ports and all.
pub(crate) async fn settle(processes: impl IntoIterator<Item = &Identity>) {
    for process in processes {
        while process.is_ending() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Processes that were started for the sandbox in `directory`, recorded or not: a command that was killed between
/// starting a component and recording it would else leave it behind for good. They are known by an argument that lies
/// in the directory, which only our components are given, and by their name.
#[cfg(target_os = "linux")]
pub(crate) fn find(directory: &Utf8Path) -> Vec<(String, Identity)> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| pid.cast_unsigned() != std::process::id())
        .filter_map(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let arguments: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
            let name = component_of(&arguments, directory)?;
            Some((name.to_owned(), Identity::of(pid)?))
        })
        .collect()
}

/// Processes that were started for the sandbox in `directory`: only the recorded ones are known here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn find(_directory: &Utf8Path) -> Vec<(String, Identity)> {
    Vec::new()
}

/// Which component of the sandbox in `directory` a command line belongs to.
#[cfg(any(target_os = "linux", test))]
fn component_of(arguments: &[impl AsRef<str>], directory: &Utf8Path) -> Option<&'static str> {
    let (program, arguments) = arguments.split_first()?;
    let program = Utf8Path::new(program.as_ref()).file_name()?;
    let controller = crate::controller::arguments(directory);
    if arguments.len() >= controller.len()
        && controller.iter().zip(arguments).all(|(expected, found)| expected == found.as_ref())
    {
        return Some(Component::Controller.name());
    }
    let inside = format!("={directory}/");
    let component = Component::ALL.into_iter().find(|component| component.program() == Some(program))?;
    arguments.iter().any(|argument| argument.as_ref().contains(&inside)).then(|| component.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn another_start_time_is_another_process() {
        let ours = Identity::of_this_process();
        assert!(ours.is_alive());
        assert!(!Identity { started: "before".to_owned(), ..ours }.is_alive());
    }

    #[rstest]
    #[case("7 (etcd) S 1 7 7 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 9 0 4711 1 1", Some(("4711", false)))]
    #[case("7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 9 0 4711 1 1", Some(("4711", false)))]
    #[case("7 (etcd) Z 1 7 7 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 4711 1 1", None)]
    #[case("7 (etcd) Z 1 7 7 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 3 0 4711 1 1", Some(("4711", true)))]
    #[case("7 (etcd", None)]
    #[case("", None)]
    fn start_times_are_read(#[case] stat: &str, #[case] expected: Option<(&str, bool)>) {
        let expected = expected.map(|(started, is_ending)| Found { started: started.to_owned(), is_ending });
        assert_eq!(parse_stat(stat), expected);
    }

    #[tokio::test]
    async fn a_process_that_ignores_the_signal_is_ended_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let log = Utf8Path::from_path(folder.path()).unwrap().join("log");
        let script = "trap '' TERM; echo ready; while :; do read line < /dev/zero; done";
        let arguments = ["-c".to_owned(), script.to_owned()];
        let process = start(Component::Etcd, "/bin/sh".into(), &arguments, &log).unwrap();
        while !std::fs::read_to_string(&log).unwrap().contains("ready") {
            assert!(process.is_alive());
            tokio::task::yield_now().await;
        }
        assert!(terminate(std::slice::from_ref(&process), Duration::from_millis(50)).await.is_empty());
        assert!(!process.is_alive());
    }

    #[tokio::test]
    async fn what_can_not_be_started_is_an_error() {
        let error = start(Component::Kwok, "/no/kwok".into(), &[], "/dev/null".into()).unwrap_err();
        assert_eq!(error.to_string(), "kwok can not be started from `/no/kwok`");
    }

    #[rstest]
    #[case(&["/t/etcd", "--data-dir=/p/.cluster/sandbox/etcd"], Some("etcd"))]
    #[case(&["/t/etcd", "--data-dir=/q/.cluster/sandbox/etcd"], None)]
    #[case(&["/t/etcd", "--data-dir=/p/.cluster/sandbox2/etcd"], None)]
    #[case(&["vi", "--cmd=/p/.cluster/sandbox/kubeconfig"], None)]
    #[case(&["/t/cluster", "sandbox", "controller", "--directory", "/p/.cluster/sandbox"], Some("controller"))]
    #[case(&["/t/cluster", "sandbox", "controller", "--directory", "/q/.cluster/sandbox"], None)]
    #[case(&["/t/cluster", "sandbox"], None)]
    fn processes_are_known_by_their_arguments(#[case] arguments: &[&str], #[case] expected: Option<&str>) {
        assert_eq!(component_of(arguments, "/p/.cluster/sandbox".into()), expected);
    }
}

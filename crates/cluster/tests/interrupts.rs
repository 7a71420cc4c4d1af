//! Ctrl-C, and being told to end, at every moment: always 130 in the form of an error, and the terminal is as it was.

#![expect(clippy::disallowed_methods, reason = "tests start the program that they test")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/inputs/project");

/// Without the settings of whoever runs the tests.
fn without_settings(mut command: Command) -> Command {
    let ours = |name: &str| ["ANSIBLE_", "CLUSTER_", "KUBECONFIG"].iter().any(|prefix| name.starts_with(prefix));
    std::env::vars().map(|(name, _)| name).filter(|name| ours(name)).for_each(|name| {
        command.env_remove(name);
    });
    command
}

fn cluster(arguments: &[&str]) -> Command {
    let mut command = without_settings(Command::new(env!("CARGO_BIN_EXE_cluster")));
    command.args(arguments).current_dir(PROJECT).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// The end of a terminal at which the user sits, and the program at the other one.
struct Terminal {
    user: File,
    child: Child,
    seen: String,
}

impl Terminal {
    /// `setsid` makes the terminal that of the program, and becomes the program.
    fn with(arguments: &[&str]) -> Self {
        let user = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&user).unwrap();
        unlockpt(&user).unwrap();
        let name = ptsname(&user, Vec::new()).unwrap().into_string().unwrap();
        let side = File::options().read(true).write(true).open(name).unwrap();
        let mut command = without_settings(Command::new("setsid"));
        command.args(["--ctty", env!("CARGO_BIN_EXE_cluster")]).args(arguments).current_dir(PROJECT);
        command.stdin(side.try_clone().unwrap()).stdout(side.try_clone().unwrap()).stderr(side);
        // A CI says by `CI` that its terminal has colours.
        let child = command.env("TERM", "dumb").env("NO_COLOR", "1").spawn().unwrap();
        Self { user: File::from(user), child, seen: String::new() }
    }

    fn wait_for(&mut self, wanted: &str) {
        while !self.seen.contains(wanted) {
            assert!(self.read_on(), "it ended before `{wanted}`: {}", self.seen);
        }
    }

    /// `false` at the end: the kernel says EIO when nobody has the other side open any more.
    fn read_on(&mut self) -> bool {
        let mut bytes = [0; 1024];
        let Ok(length @ 1..) = self.user.read(&mut bytes) else { return false };
        self.seen.push_str(&String::from_utf8_lossy(&bytes[..length]));
        true
    }

    /// How it ended, after all that it said.
    fn end(&mut self) -> Option<i32> {
        while self.read_on() {}
        self.child.wait().unwrap().code()
    }

    fn shows_what_is_typed(&self) -> bool {
        tcgetattr(&self.user).unwrap().local_modes.contains(LocalModes::ECHO)
    }
}

#[rstest]
#[case(&["playbook", "run", "playbooks/states.yml", "--ask-vault-pass"], "Vault password")]
#[case(&["vault", "encrypt-string"], "New Vault password")]
#[case(&["status", "--target", "boards", "--ask-become-pass", "-i", "inventory/nowhere.ini"], "BECOME password")]
fn at_a_question(#[case] arguments: &[&str], #[case] question: &str) {
    for by_key in [true, false] {
        let mut terminal = Terminal::with(arguments);
        terminal.wait_for(question);
        match by_key {
            true => terminal.user.write_all(b"\x03").unwrap(),
            false => signal(&terminal.child, Signal::TERM),
        }
        let code = terminal.end();
        let (seen, again) = (&terminal.seen, arguments.join(" "));
        assert_eq!(code, Some(130), "{seen}");
        assert!(seen.contains("error: interrupted\r\n"), "{seen}");
        assert!(seen.contains(&format!("hint: run `cluster {again}` again")), "{seen}");
        assert!(terminal.shows_what_is_typed(), "{seen}");
    }
}

/// A file that is never at its end.
fn endless(folder: &Path) -> PathBuf {
    let path = folder.join("hosts");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

#[rstest]
#[case(&["status"])]
#[case(&["deploy", "web"])]
#[case(&["inventory", "list"])]
#[case(&["playbook", "run", "playbooks/states.yml"])]
fn while_files_are_read(#[case] arguments: &[&str]) {
    for kind in [Signal::INT, Signal::TERM, Signal::HUP] {
        let folder = tempfile::tempdir().unwrap();
        let inventory = endless(folder.path());
        let child = cluster(arguments).arg("-i").arg(&inventory).spawn().unwrap();
        // Waits until it is opened for reading.
        let _never_ends = File::options().write(true).open(&inventory).unwrap();
        signal(&child, kind);
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(130), "{arguments:?}: {said}");
        assert!(said.starts_with("error: interrupted\nhint: run `cluster "), "{said}");
    }
}

#[test]
fn the_last_words_do_not_wait_for_a_reader() {
    let mut child = cluster(&["completion", "bash", "--output", "json"]).spawn().unwrap();
    drop(child.stdin.take());
    // It writes more than a pipe holds, and nobody reads on.
    let mut first = [0];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    signal(&child, Signal::INT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

/// A process that `down` takes for the sandbox's etcd and that does not end by itself.
fn stubborn_etcd(project: &Path) -> Child {
    use std::os::unix::process::CommandExt;
    let data = format!("--data-dir={}/.cluster/sandbox/etcd", project.display());
    let mut command = Command::new("/bin/sh");
    command.arg0("etcd").args(["-c", "trap '' TERM; echo ready; read line", &data]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child
}

#[test]
fn a_sandbox_that_goes_down_goes_down_whole() {
    for kind in [Signal::INT, Signal::TERM] {
        let project = TempDir::new().unwrap();
        std::fs::write(project.path().join("cluster.toml"), "").unwrap();
        std::fs::create_dir_all(project.path().join(".cluster/sandbox")).unwrap();
        let mut etcd = stubborn_etcd(&project.path().canonicalize().unwrap());
        let mut child = cluster(&["sandbox", "down", "-v"]).current_dir(project.path()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("ending etcd") {
            assert!(lines.read_line(&mut said).unwrap() > 0, "{said}");
        }
        signal(&child, kind);
        lines.read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
        assert!(said.contains("interrupted: what was begun is ended first"), "{said}");
        assert!(said.contains("sandbox: down: 1 processes ended, no file left"), "{said}");
        assert!(!project.path().join(".cluster").exists());
        etcd.wait().unwrap();
    }
}

//! What the tests of this crate share.
#![allow(clippy::unwrap_used, reason = "a test ends there")]
#![allow(clippy::disallowed_methods, reason = "tests look at processes from outside")]
#![allow(dead_code, reason = "each test file uses its part")]

use remote::{Command, Machine, Options, Transport};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A script with nothing else.
pub fn script(text: &str) -> Command {
    Command { script: text.into(), ..Command::default() }
}

/// The shells under names that make bash and BusyBox behave as `sh` and `ash`.
pub struct Shells(tempfile::TempDir);

impl Shells {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, program) in [("dash", "/bin/dash"), ("bash/sh", "/bin/bash"), ("ash", "/bin/busybox")] {
            let link = directory.path().join(name);
            std::fs::create_dir_all(link.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(program, link).unwrap();
        }
        Self(directory)
    }

    pub fn path(&self, shell: &str) -> PathBuf {
        let path = self.0.path().join(if shell == "bash" { "bash/sh" } else { shell });
        assert!(path.exists(), "no {shell} on this machine: run scripts/test-setup.sh");
        path
    }

    pub fn options(&self, shell: &str) -> Options {
        Options { shell: self.path(shell).to_str().unwrap().into() }
    }

    /// A directory with BusyBox's `sh` and tools, and nothing else.
    pub fn busybox_only(&self) -> PathBuf {
        let directory = self.0.path().join("tools");
        std::fs::create_dir(&directory).unwrap();
        let installed = std::process::Command::new("/bin/busybox").args(["--list"]).output().unwrap();
        for name in String::from_utf8(installed.stdout).unwrap().lines().filter(|name| *name != "su") {
            std::os::unix::fs::symlink("/bin/busybox", directory.join(name)).unwrap();
        }
        self.open_to_users();
        directory
    }

    /// A directory with some of this machine's tools, and nothing else.
    pub fn tools(&self, names: &[&str]) -> PathBuf {
        let directory = self.0.path().join("tools");
        std::fs::create_dir(&directory).unwrap();
        for name in names {
            let program =
                ["/usr/bin", "/bin"].map(|place| PathBuf::from(place).join(name)).into_iter().find(|p| p.exists());
            std::os::unix::fs::symlink(program.unwrap(), directory.join(name)).unwrap();
        }
        self.open_to_users();
        directory
    }

    fn open_to_users(&self) {
        std::fs::set_permissions(self.0.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub async fn local(&self, shell: &str) -> Machine {
        Machine::connect_with("here", Transport::Local, self.options(shell)).await.unwrap()
    }
}

/// A number of seconds for `sleep` that no other process has in its arguments.
pub fn mark() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{}{:03}", 1000 + std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn sleeps(mark: &str) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let wanted = format!("sleep\0{mark}\0");
    ids.filter(|id| std::fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|line| line == wanted.as_bytes())).collect()
}

/// How many `sleep`s with this mark run.
pub fn running(mark: &str) -> usize {
    sleeps(mark).len()
}

/// Ends them.
pub fn end(mark: &str) {
    for id in sleeps(mark) {
        assert!(std::process::Command::new("kill").arg(id.to_string()).status().unwrap().success());
    }
}

/// Ten seconds are plenty for everything here.
pub fn wait(what: &str, check: impl FnMut() -> bool) {
    support::wait_until(what, Duration::from_secs(10), check);
}

//! Users that exist as long as a test.

use crate::wait_until;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Whether users can be made here; prints a `skipped:` line when not.
pub fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("skipped: users of its own need root");
    }
    root
}

/// What the user may do with sudo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sudo {
    /// Nothing.
    No,
    /// Everything, after typing the password.
    WithPassword,
    /// Everything.
    WithoutPassword,
}

/// An unprivileged user of this machine with a home, removed when dropped. Needs root.
#[derive(Debug)]
pub struct TestUser {
    name: String,
    sudoers: Option<PathBuf>,
}

impl TestUser {
    /// The password of each of them.
    pub const PASSWORD: &'static str = "correct horse battery";

    /// Creates one whose shell is `/bin/sh`.
    ///
    /// # Panics
    /// Without root, or when `useradd` fails.
    pub fn new(sudo: Sudo) -> Self {
        Self::with_shell(sudo, "/bin/sh")
    }

    /// Creates one with another login shell.
    ///
    /// # Panics
    /// Without root, or when `useradd` fails.
    pub fn with_shell(sudo: Sudo, shell: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        change_users(&["useradd", "--create-home", "--shell", shell, &name]);
        let mut user = Self { name, sudoers: None };
        user.set_password();
        user.allow(sudo);
        user
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it lives.
    pub fn home(&self) -> PathBuf {
        PathBuf::from("/home").join(&self.name)
    }

    fn set_password(&self) {
        wait_until("chpasswd gets the lock", LOCK, || {
            let mut process =
                Command::new("chpasswd").stdin(Stdio::piped()).stderr(Stdio::null()).spawn().expect("chpasswd");
            let mut input = process.stdin.take().expect("its input is a pipe");
            writeln!(input, "{}:{}", self.name, Self::PASSWORD).expect("chpasswd reads");
            drop(input);
            process.wait().is_ok_and(|status| status.success())
        });
    }

    fn allow(&mut self, sudo: Sudo) {
        let tag = match sudo {
            Sudo::No => return,
            Sudo::WithPassword => "",
            Sudo::WithoutPassword => "NOPASSWD: ",
        };
        let path = PathBuf::from("/etc/sudoers.d").join(&self.name);
        let file = std::fs::OpenOptions::new().create_new(true).write(true).mode(0o440).open(&path);
        let mut file = file.expect("/etc/sudoers.d is not there: run scripts/test-setup.sh");
        writeln!(file, "{} ALL=(ALL:ALL) {tag}ALL", self.name).expect("the sudoers file");
        self.sudoers = Some(path);
    }
}

impl Drop for TestUser {
    fn drop(&mut self) {
        if let Some(sudoers) = &self.sudoers {
            let _ = std::fs::remove_file(sudoers);
        }
        change_users(&["userdel", "--remove", "--force", &self.name]);
    }
}

/// The programs that change users exclude each other with a lock, and give up at once (shadow 4).
const LOCK: Duration = Duration::from_secs(30);

fn change_users(words: &[&str]) {
    wait_until(words, LOCK, || {
        let output = Command::new(words[0]).args(&words[1..]).output().map_err(|error| error.to_string())?;
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    });
}

//! What is asked of a machine, and what comes back.

use camino::Utf8PathBuf;
use diagnostic::Secret;
use std::time::Duration;

/// How a machine is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// This machine.
    Local,
    /// Another one, by the system's `ssh`.
    Ssh(Ssh),
}

/// Where `ssh` connects; what is not given here comes from the user's `~/.ssh/config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssh {
    /// Address or name (`ansible_host`).
    pub host: String,
    /// `ansible_port`.
    pub port: Option<u16>,
    /// `ansible_user`, `remote_user`.
    pub user: Option<String>,
    /// `ansible_ssh_private_key_file`.
    pub private_key: Option<Utf8PathBuf>,
    /// Whether an unknown or changed host key is an error (`ANSIBLE_HOST_KEY_CHECKING`, default true).
    pub host_key_checking: bool,
    /// `ansible_ssh_common_args` and `ansible_ssh_extra_args`, already split into words.
    pub arguments: Vec<String>,
    /// How long to wait for the connection (Ansible's `timeout`, 10 s).
    pub connect_timeout: Duration,
}

/// As whom a command runs, when not as the login user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Become {
    /// The user to become, usually `root`.
    pub user: String,
    /// By which program.
    pub method: BecomeMethod,
    /// The password that the program asks for; never an argument, never shown.
    pub password: Option<Secret<String>>,
}

/// The program that changes the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BecomeMethod {
    /// `sudo`
    Sudo,
    /// `su`
    Su,
}

/// A POSIX sh script and what it is given. Values travel as arguments (`"$1"`, …), environment or standard input, never by
/// pasting text into the script.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// POSIX sh, BusyBox tools only.
    pub script: String,
    /// `"$1"` and following.
    pub arguments: Vec<String>,
    /// Added to the machine's environment.
    pub environment: Vec<(String, String)>,
    /// Where the script runs; the login user's home over ssh, the caller's directory locally, when not given; the home of
    /// a user that was become where that one is closed to it. When it is not there, the status is 1 and the shell says so.
    pub directory: Option<String>,
    /// The script's standard input, any bytes; it reads end of file after them. The machine holds all of it in memory.
    pub input: Vec<u8>,
    /// When to end it, with everything it started, counted from its start: SIGTERM, and SIGKILL three seconds later.
    pub timeout: Option<Duration>,
}

/// What a command left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// Exit status; 128 + signal when a signal ended it.
    pub status: i32,
    /// Standard output, as it came.
    pub stdout: Vec<u8>,
    /// Standard error, as it came.
    pub stderr: Vec<u8>,
}

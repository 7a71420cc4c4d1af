//! What can go wrong between here and a machine.

use camino::Utf8PathBuf;
use diagnostic::{Diagnose, Exit};
use std::time::Duration;

/// Why a machine could not be reached or a command not be run. A command that ran and failed is no error but an
/// [`crate::Output`] with its status.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The network or the daemon did not answer.
    #[error("host `{host}` is unreachable: {reason}")]
    Unreachable {
        /// The inventory's name of the machine.
        host: String,
        /// What `ssh` connects to, with the options that it needs for that: `-p 2222 pi@192.168.1.10`.
        destination: String,
        /// ssh's own words.
        reason: String,
        /// Where the connection failed.
        cause: Cause,
    },
    /// The machine answered, and let nobody in.
    #[error("host `{host}` refused the login of {user}: {reason}")]
    PermissionDenied {
        /// The inventory's name of the machine.
        host: String,
        /// What `ssh` connects to.
        destination: String,
        /// The user that was refused, in backticks, or a description.
        user: String,
        /// ssh's own words, which list the methods that the machine offers.
        reason: String,
    },
    /// The machine's key is in no `known_hosts` file.
    #[error("the host key of `{host}` is not known: {reason}")]
    UnknownHostKey {
        /// The inventory's name of the machine.
        host: String,
        /// What `ssh` connects to.
        destination: String,
        /// Name and port under which `ssh` looked for the key, as options of `ssh-keyscan`: `-p 2222 192.168.1.10`.
        scan: String,
        /// ssh's own words.
        reason: String,
    },
    /// The machine shows another key than the one in `known_hosts`: it was set up anew, or it is another one.
    #[error("the host key of `{host}` has changed: {reason}")]
    ChangedHostKey {
        /// The inventory's name of the machine.
        host: String,
        /// The name in `known_hosts`, `[192.168.1.10]:2222`.
        name: String,
        /// The file that holds the other key.
        file: Option<String>,
        /// ssh's own words.
        reason: String,
    },
    /// `ssh` is not installed here.
    #[error("host `{host}` can't be reached: `ssh` is not installed on this machine")]
    SshMissing {
        /// The inventory's name of the machine.
        host: String,
    },
    /// The private key that the inventory names is not there.
    #[error("host `{host}` can't be reached: there is no private key at `{path}`")]
    NoPrivateKey {
        /// The inventory's name of the machine.
        host: String,
        /// Where it should be.
        path: Utf8PathBuf,
    },
    /// ssh does not understand what it was given.
    #[error("`ssh` refuses the options for host `{host}`: {reason}")]
    SshOptions {
        /// The inventory's name of the machine.
        host: String,
        /// ssh's own words.
        reason: String,
    },
    /// The login worked, but there is no shell.
    #[error("host `{host}` gives {user} no shell: {reason}")]
    NoShell {
        /// The inventory's name of the machine.
        host: String,
        /// The user, in backticks, or a description.
        user: String,
        /// What the machine said.
        reason: String,
    },
    /// sudo or su wants a password, and none was given.
    #[error("`{program}` on `{host}` wants a password to become `{become_user}`")]
    BecomePassword {
        /// The inventory's name of the machine.
        host: String,
        /// `sudo` or `su`.
        program: &'static str,
        /// The user to become.
        become_user: String,
        /// The login user.
        user: String,
    },
    /// sudo or su did not take the password.
    #[error("`{program}` on `{host}` refused the password to become `{become_user}`")]
    WrongBecomePassword {
        /// The inventory's name of the machine.
        host: String,
        /// `sudo` or `su`.
        program: &'static str,
        /// The user to become.
        become_user: String,
    },
    /// The login user may not become that user.
    #[error("{user} may not become `{become_user}` on `{host}`: {reason}")]
    NotAllowed {
        /// The inventory's name of the machine.
        host: String,
        /// The login user, in backticks, or a description.
        user: String,
        /// The user to become.
        become_user: String,
        /// sudo's own words.
        reason: String,
    },
    /// The program that should change the user is not installed there.
    #[error("`{program}` is not installed on `{host}`")]
    BecomeMissing {
        /// The inventory's name of the machine.
        host: String,
        /// `sudo` or `su`.
        program: &'static str,
    },
    /// sudo or su failed for another reason.
    #[error("`{program}` on `{host}` did not become `{become_user}`: {reason}")]
    Become {
        /// The inventory's name of the machine.
        host: String,
        /// `sudo` or `su`.
        program: &'static str,
        /// The user to become.
        become_user: String,
        /// Its own words.
        reason: String,
    },
    /// The connection broke while a command ran; whether the command finished is not known.
    #[error("the connection to `{host}` was lost: {reason}")]
    ConnectionLost {
        /// The inventory's name of the machine.
        host: String,
        /// ssh's own words, or what is known.
        reason: String,
    },
    /// The command took longer than it was given, and was ended.
    #[error("the command on `{host}` did not end within {} s", .timeout.as_secs_f64())]
    TimedOut {
        /// The inventory's name of the machine.
        host: String,
        /// What it was given.
        timeout: Duration,
        /// What it had written until then.
        stdout: Vec<u8>,
        /// What it had written until then.
        stderr: Vec<u8>,
    },
    /// A forward could not be set up.
    #[error("port {port} of `{target}` can't be forwarded through `{host}`: {reason}")]
    Forward {
        /// The inventory's name of the machine.
        host: String,
        /// Host as seen from the machine.
        target: String,
        /// Port as seen from the machine.
        port: u16,
        /// Why.
        reason: String,
    },
    /// What no shell can be given.
    #[error("the command can't be run by a shell: {reason}")]
    InvalidCommand {
        /// Why.
        reason: String,
    },
    /// A process, directory or socket could not be made on this machine.
    #[error("can't {action} for `{host}`")]
    Local {
        /// The inventory's name of the machine.
        host: String,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Where a connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The name has no address.
    Name,
    /// The machine answered that nobody listens there.
    Refused,
    /// No answer, or no way there.
    Network,
    /// Something listened, and did not speak ssh to the end.
    Handshake,
}

impl Error {
    /// Whether the machine was not reached, as opposed to a failure on it: Ansible's `UNREACHABLE!`.
    pub fn is_unreachable(&self) -> bool {
        self.exit() == Exit::Unreachable
    }
}

impl Diagnose for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { .. }
            | Self::PermissionDenied { .. }
            | Self::UnknownHostKey { .. }
            | Self::ChangedHostKey { .. }
            | Self::NoPrivateKey { .. }
            | Self::NoShell { .. }
            | Self::ConnectionLost { .. } => Exit::Unreachable,
            Self::SshMissing { .. } | Self::SshOptions { .. } | Self::InvalidCommand { .. } => Exit::Usage,
            Self::BecomePassword { .. }
            | Self::WrongBecomePassword { .. }
            | Self::NotAllowed { .. }
            | Self::BecomeMissing { .. }
            | Self::Become { .. }
            | Self::TimedOut { .. }
            | Self::Forward { .. }
            | Self::Local { .. } => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreachable { host, destination, cause, .. } => match cause {
                Cause::Name => format!("set `ansible_host` of `{host}` in the inventory to its address"),
                Cause::Refused => format!("start the ssh server there, or set `ansible_port`; try `ssh {destination}`"),
                Cause::Network => format!("is it switched on and in this network? try `ssh {destination}`"),
                Cause::Handshake => format!("see what the machine says with `ssh -v {destination}`"),
            },
            Self::PermissionDenied { destination, reason, .. } if takes_passwords(reason) => format!(
                "give your key to the machine with `ssh-copy-id {destination}`, or name another user or key with \
                 `ansible_user` and `ansible_ssh_private_key_file`"
            ),
            Self::PermissionDenied { .. } => {
                "name another user or key with `ansible_user` and `ansible_ssh_private_key_file`, or add your public key to \
                 that user's `~/.ssh/authorized_keys` on the machine"
                    .into()
            }
            Self::UnknownHostKey { destination, scan, .. } => format!(
                "compare the fingerprint that `ssh {destination}` shows with the machine's own and answer `yes`, or, in a \
                 network that you trust, run `ssh-keyscan -H {scan} >> ~/.ssh/known_hosts`"
            ),
            Self::ChangedHostKey { name, file, .. } => {
                let file = file.as_ref().map(|file| format!("-f {} ", word(file))).unwrap_or_default();
                format!("if the machine was set up anew, run `ssh-keygen {file}-R '{name}'`; otherwise do not connect")
            }
            Self::SshMissing { .. } => "install it: `apt-get install openssh-client`".into(),
            Self::NoPrivateKey { path, .. } => {
                format!("correct `ansible_ssh_private_key_file`, or make a key with `ssh-keygen -t ed25519 -f {path}`")
            }
            Self::SshOptions { .. } => "correct `ansible_ssh_common_args` and `ansible_ssh_extra_args`".into(),
            Self::BecomePassword { program: "sudo", user, host, .. } => format!(
                "add `--ask-become-pass`, or put `{user} ALL=(ALL) NOPASSWD: ALL` in `/etc/sudoers.d/{user}` on `{host}`"
            ),
            Self::BecomePassword { .. } => "add `--ask-become-pass`".into(),
            Self::WrongBecomePassword { .. } => {
                "type it again with `--ask-become-pass`, or correct `ansible_become_password`".into()
            }
            Self::NotAllowed { host, .. } => format!("give that user the right with `visudo` on `{host}`"),
            Self::BecomeMissing { program: "sudo", host } => {
                format!("run `apt-get install sudo` as root on `{host}`, or log in as root without `become`")
            }
            Self::Become { program: "sudo", host, reason, .. } if reason.contains("must have a tty") => {
                format!("run `visudo` on `{host}` and take `requiretty` out")
            }
            Self::NoShell { host, reason, .. } if reason.contains("not available") => {
                format!("give that user a shell: `usermod -s /bin/sh NAME` on `{host}`")
            }
            Self::ConnectionLost { .. } => "run the same again: what is done already is not done twice".into(),
            Self::TimedOut { .. }
            | Self::BecomeMissing { .. }
            | Self::Become { .. }
            | Self::NoShell { .. }
            | Self::Forward { .. }
            | Self::InvalidCommand { .. }
            | Self::Local { .. } => return None,
        })
    }
}

/// Whether the machine would let a key be brought with a password: the methods in ssh's words.
fn takes_passwords(reason: &str) -> bool {
    reason.contains("password") || reason.contains("keyboard-interactive")
}

/// A word of a command in a hint: quoted only where it has to be.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-~".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { crate::quote::quote(text) }
}

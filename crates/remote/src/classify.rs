//! From the words of `ssh`, `sudo` and `su` to an [`Error`]. The words are those of OpenSSH 7 to 10 (sshconnect.c,
//! sshconnect2.c, misc.c) and sudo 1.9 in English: ssh is not translated, sudo is told to speak it.

use crate::destination::{Destination, program};
use crate::error::Cause;
use crate::{Become, Error};

/// Why `ssh` ended before there was a shell. `said` is its log and what it wrote.
pub(crate) fn ssh(destination: &Destination, said: &str) -> Error {
    let host = destination.host.clone();
    let typed = destination.as_typed();
    let reason = reason(said);
    let has = |words: &str| said.contains(words);
    if has("REMOTE HOST IDENTIFICATION HAS CHANGED") || has("host key for") && has("has changed") {
        return changed_key(destination, said);
    }
    if let Some(name) = between(said, "host key is known for ", " and you have requested") {
        return Error::UnknownHostKey {
            host,
            destination: typed,
            scan: scan(name),
            reason: first_with(said, "is known for"),
        };
    }
    if has("Permission denied (") || has("Too many authentication failures") || has("no authentication methods") {
        let reason =
            first_with(said, if has("Permission denied (") { "Permission denied (" } else { "authentication" });
        return Error::PermissionDenied { host, destination: typed, user: destination.user(), reason };
    }
    if has("Bad configuration option") || has("unknown option") || has("usage: ssh") || has("missing argument") {
        return Error::SshOptions { host, reason };
    }
    let cause = if has("Could not resolve hostname") {
        Cause::Name
    } else if has("Connection refused") {
        Cause::Refused
    } else if has("timed out") || has("No route to host") || has("unreachable") || has("Host is down") {
        Cause::Network
    } else {
        Cause::Handshake
    };
    Error::Unreachable { host, destination: typed, reason, cause }
}

/// Why the shell of another user did not open. `said` is what sudo or su wrote; `None` when the password was asked for and
/// there was none.
pub(crate) fn r#become(destination: &Destination, r#become: &Become, said: &str) -> Error {
    let host = destination.host.clone();
    let become_user = r#become.user.clone();
    let program = program(r#become);
    let has = |words: &str| said.contains(words);
    if has("password is required") || has("a terminal is required") || has("no password was provided") {
        return wants_password(destination, r#become);
    }
    if has("Sorry, try again") || has("incorrect password attempt") || has("Authentication failure") {
        return match &r#become.password {
            Some(_) => Error::WrongBecomePassword { host, program, become_user },
            None => wants_password(destination, r#become),
        };
    }
    if has("not in the sudoers file") || has("is not allowed to") || has("may not run sudo") {
        return Error::NotAllowed { host, user: destination.user(), become_user, reason: reason(said) };
    }
    // `env: ‘sudo’: No such file or directory` (GNU), `env: can't execute 'sudo': …` (BusyBox), `env: sudo: …` (macOS).
    if said.lines().any(|line| line.starts_with("env: ") && line.contains(program) && line.contains("No such file")) {
        return Error::BecomeMissing { host, program };
    }
    Error::Become { host, program, become_user, reason: reason(said) }
}

/// The password is asked for, and there is none.
pub(crate) fn wants_password(destination: &Destination, r#become: &Become) -> Error {
    Error::BecomePassword {
        host: destination.host.clone(),
        program: program(r#become),
        become_user: r#become.user.clone(),
        user: destination.user_name(),
    }
}

fn changed_key(destination: &Destination, said: &str) -> Error {
    let name = between(said, "ost key for ", " has changed").unwrap_or(&destination.host).to_owned();
    // `Offending ED25519 key in /home/me/.ssh/known_hosts:3`
    let file = said.lines().find_map(|line| {
        let (_, place) = line.trim().strip_prefix("Offending ")?.split_once(" key in ")?;
        Some(place.rsplit_once(':').map_or(place, |(file, _)| file).to_owned())
    });
    let place = file.as_ref().map(|file| format!("it is not the one in `{file}`"));
    Error::ChangedHostKey {
        host: destination.host.clone(),
        name,
        file,
        reason: place.unwrap_or_else(|| "it is not the one that is known".into()),
    }
}

/// `[192.168.1.10]:2222` → `-p 2222 192.168.1.10`.
fn scan(name: &str) -> String {
    match name.strip_prefix('[').and_then(|name| name.split_once("]:")) {
        Some((host, port)) => format!("-p {port} {host}"),
        None => name.to_owned(),
    }
}

/// Why a connection that stood is gone.
pub(crate) fn lost(log: &str) -> String {
    if log.trim().is_empty() { "the other side closed it".into() } else { reason(log) }
}

/// Lines that follow the one with the reason.
const FAREWELLS: [&str; 2] = ["Connection closed by UNKNOWN", "error initializing audit plugin"];

/// The line that says most: the last one that is not a farewell.
pub(crate) fn reason(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let farewell = |line: &str| FAREWELLS.iter().any(|words| line.contains(words));
    let line = lines.iter().rev().find(|line| !farewell(line)).or(lines.last());
    line.map_or_else(|| "it ended without a word".into(), |line| tidy(line))
}

fn first_with(said: &str, words: &str) -> String {
    said.lines().find(|line| line.contains(words)).map_or_else(|| reason(said), tidy)
}

/// Messages are fragments: no carriage return, no full stop.
fn tidy(line: &str) -> String {
    let line = line.trim().trim_end_matches('.');
    line.strip_prefix("ssh: ").or(line.strip_prefix("sudo: ")).or(line.strip_prefix("su: ")).unwrap_or(line).to_owned()
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(inner, _)| inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BecomeMethod, Ssh, Transport};
    use diagnostic::{Diagnose, Secret};
    use rstest::rstest;
    use std::time::Duration;

    fn destination() -> Destination {
        let ssh = Ssh {
            host: "10.0.0.1".into(),
            port: Some(2222),
            user: Some("pi".into()),
            private_key: None,
            host_key_checking: true,
            arguments: Vec::new(),
            connect_timeout: Duration::from_secs(10),
        };
        Destination { host: "pi-1".into(), transport: Transport::Ssh(ssh) }
    }

    /// What people see for what ssh says.
    #[rstest]
    #[case(
        "ssh: connect to host 10.0.0.1 port 2222: No route to host\r",
        "host `pi-1` is unreachable: connect to host 10.0.0.1 port 2222: No route to host | is it switched on and in this network? try `ssh -p 2222 pi@10.0.0.1`"
    )]
    #[case(
        "ssh: connect to host 10.0.0.1 port 2222: Connection timed out",
        "host `pi-1` is unreachable: connect to host 10.0.0.1 port 2222: Connection timed out | is it switched on and in this network? try `ssh -p 2222 pi@10.0.0.1`"
    )]
    #[case(
        "kex_exchange_identification: Connection closed by remote host\nConnection closed by UNKNOWN port 65535",
        "host `pi-1` is unreachable: kex_exchange_identification: Connection closed by remote host | see what the machine says with `ssh -v -p 2222 pi@10.0.0.1`"
    )]
    #[case(
        "pi@10.0.0.1: Permission denied (publickey,password).",
        "host `pi-1` refused the login of `pi`: pi@10.0.0.1: Permission denied (publickey,password) | give your key to the machine with `ssh-copy-id -p 2222 pi@10.0.0.1`, or name another user or key with `ansible_user` and `ansible_ssh_private_key_file`"
    )]
    #[case(
        "pi@10.0.0.1: Permission denied (publickey).",
        "host `pi-1` refused the login of `pi`: pi@10.0.0.1: Permission denied (publickey) | name another user or key with `ansible_user` and `ansible_ssh_private_key_file`, or add your public key to that user's `~/.ssh/authorized_keys` on the machine"
    )]
    #[case(
        "Host key verification failed.",
        "host `pi-1` is unreachable: Host key verification failed | see what the machine says with `ssh -v -p 2222 pi@10.0.0.1`"
    )]
    #[case(
        "No ED25519 host key is known for pi-1.local and you have requested strict checking.\nHost key verification failed.",
        "the host key of `pi-1` is not known: No ED25519 host key is known for pi-1.local and you have requested strict checking | compare the fingerprint that `ssh -p 2222 pi@10.0.0.1` shows with the machine's own and answer `yes`, or, in a network that you trust, run `ssh-keyscan -H pi-1.local >> ~/.ssh/known_hosts`"
    )]
    #[case(
        "",
        "host `pi-1` is unreachable: it ended without a word | see what the machine says with `ssh -v -p 2222 pi@10.0.0.1`"
    )]
    fn ssh_says(#[case] said: &str, #[case] expected: &str) {
        let error = ssh(&destination(), said);
        assert_eq!(format!("{error} | {}", error.hint().unwrap_or_default()), expected);
    }

    /// What people see for what sudo and su say.
    #[rstest]
    #[case(None, "sudo: a password is required", "`sudo` on `pi-1` wants a password to become `root`")]
    #[case(Some("x"), "Sorry, try again.", "`sudo` on `pi-1` refused the password to become `root`")]
    #[case(Some("x"), "sudo: 1 incorrect password attempt", "`sudo` on `pi-1` refused the password to become `root`")]
    #[case(
        Some("x"),
        "pi is not in the sudoers file.",
        "`pi` may not become `root` on `pi-1`: pi is not in the sudoers file"
    )]
    #[case(
        None,
        "Sorry, user pi is not allowed to execute '/bin/sh' as root on pi-1.",
        "`pi` may not become `root` on `pi-1`: Sorry, user pi is not allowed to execute '/bin/sh' as root on pi-1"
    )]
    #[case(None, "env: \u{2018}sudo\u{2019}: No such file or directory", "`sudo` is not installed on `pi-1`")]
    #[case(None, "env: can't execute 'sudo': No such file or directory", "`sudo` is not installed on `pi-1`")]
    #[case(
        None,
        "sudo: unknown user: nobody-here\nsudo: error initializing audit plugin sudoers_audit",
        "`sudo` on `pi-1` did not become `root`: unknown user: nobody-here"
    )]
    fn sudo_says(#[case] password: Option<&str>, #[case] said: &str, #[case] expected: &str) {
        let password = password.map(|password| Secret::new(password.to_owned()));
        let root = Become { user: "root".into(), method: BecomeMethod::Sudo, password };
        assert_eq!(r#become(&destination(), &root, said).to_string(), expected);
    }
}

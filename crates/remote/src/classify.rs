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
    if has(&format!("{program}: not found"))
        || has(&format!("{program}': No such file"))
        || has(&format!("'{program}': No such"))
        || has(&format!("{program}: No such file"))
    {
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

/// The line that says most: the last one that is not ssh's farewell.
pub(crate) fn reason(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let farewell = |line: &&&str| line.starts_with("kex_exchange") || !line.starts_with("Connection closed by UNKNOWN");
    let line = lines.iter().rev().find(farewell).or(lines.last());
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

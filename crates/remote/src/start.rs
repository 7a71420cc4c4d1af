//! The argument lists that open a shell: pure, nothing starts here.
//!
//! `ssh` is spawned by us and not by the `openssh` crate, for three reasons. Its master detaches and outlives a killed
//! caller, while ours carries the login user's shell itself: one process, no second channel for the first command, and it
//! ends with our end of its standard input. Its sessions mix ssh's own messages into standard error, while `-E` keeps them
//! apart. And a master that the user's configuration has open is never taken for ours, since the socket is in a private
//! directory.

use crate::quote::quote;
use crate::{Become, BecomeMethod, Ssh};
use camino::Utf8Path;

/// A connection that is silent for 3 × this long is given up (`ServerAliveCountMax` is 3 by default).
const ALIVE_INTERVAL_SECONDS: u32 = 15;

/// Which part in the multiplexing a process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Makes the connection.
    Master,
    /// Uses it.
    Session,
}

/// What runs the bootstrap, as words: the shell, or sudo or su in front of it. `asked` is sudo's prompt, given when there is
/// a password for it.
pub(crate) fn shell(shell: &str, bootstrap: &str, r#become: Option<&Become>, asked: &str) -> Vec<String> {
    let inner = [shell.to_owned(), "-c".into(), bootstrap.to_owned()];
    let Some(r#become) = r#become else { return inner.into() };
    // LANGUAGE makes the programs speak English without changing what LC_ALL and LANG say; both are not touched.
    let mut words: Vec<String> = vec!["env".into(), "LANGUAGE=en".into()];
    match r#become.method {
        // -H as Ansible has it (`become_flags`, default `-H -S -n`).
        BecomeMethod::Sudo => {
            words.extend(["sudo", "-H"].map(String::from));
            match r#become.password {
                Some(_) => words.extend(["-S".into(), "-p".into(), asked.to_owned()]),
                None => words.push("-n".into()),
            }
            words.extend(["-u".into(), r#become.user.clone(), "--".into()]);
            words.extend(inner);
        }
        BecomeMethod::Su => {
            let [shell, _, bootstrap] = &inner;
            words.extend(["su".into(), r#become.user.clone(), "-c".into()]);
            words.push(format!("exec {} -c {}", quote(shell), quote(bootstrap)));
        }
    }
    words
}

/// The same as the one word that `ssh` hands to the login shell.
pub(crate) fn remote(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quote(word)).collect();
    format!("exec {}", words.join(" "))
}

/// `ssh` without the program's name and without destination and command. For most options ssh takes the first value that it
/// sees, so what must not change goes first, then the user's arguments, then what they may replace.
pub(crate) fn ssh_options(ssh: &Ssh, part: Part, control: &Utf8Path, log: &Utf8Path) -> Vec<String> {
    let mut words: Vec<String> = ["-T", "-E", log.as_str(), "-S", control.as_str()].map(String::from).into();
    let mut option = |text: String| words.extend(["-o".into(), text]);
    option(format!("ControlMaster={}", if part == Part::Master { "yes" } else { "no" }));
    for fixed in
        ["ControlPersist=no", "BatchMode=yes", "RemoteCommand=none", "ClearAllForwardings=yes", "LogLevel=ERROR"]
    {
        option(fixed.into());
    }
    words.extend(ssh.arguments.iter().cloned());
    let mut option = |text: String| words.extend(["-o".into(), text]);
    option(format!("ConnectTimeout={}", ssh.connect_timeout.as_secs().max(1)));
    option(format!("StrictHostKeyChecking={}", if ssh.host_key_checking { "yes" } else { "no" }));
    option(format!("ServerAliveInterval={ALIVE_INTERVAL_SECONDS}"));
    words.extend(ssh.port.iter().flat_map(|port| ["-p".into(), port.to_string()]));
    words.extend(ssh.user.iter().flat_map(|user| ["-l".into(), user.clone()]));
    words.extend(ssh.private_key.iter().flat_map(|key| ["-i".into(), key.to_string()]));
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use diagnostic::Secret;
    use rstest::rstest;
    use std::time::Duration;

    fn as_root(method: BecomeMethod, password: Option<&str>) -> Become {
        Become { user: "root".into(), method, password: password.map(|password| Secret::new(password.into())) }
    }

    #[rstest]
    #[case(None, "/bin/sh|-c|echo 'x'")]
    #[case(Some(as_root(BecomeMethod::Sudo, None)), "env|LANGUAGE=en|sudo|-H|-n|-u|root|--|/bin/sh|-c|echo 'x'")]
    #[case(
        Some(as_root(BecomeMethod::Sudo, Some("secret"))),
        "env|LANGUAGE=en|sudo|-H|-S|-p|password?|-u|root|--|/bin/sh|-c|echo 'x'"
    )]
    #[case(
        Some(as_root(BecomeMethod::Su, Some("secret"))),
        r"env|LANGUAGE=en|su|root|-c|exec '/bin/sh' -c 'echo '\''x'\'''"
    )]
    fn no_argument_holds_a_password(#[case] r#become: Option<Become>, #[case] words: &str) {
        assert_eq!(shell("/bin/sh", "echo 'x'", r#become.as_ref(), "password?").join("|"), words);
    }

    #[test]
    fn the_users_arguments_stand_between_what_is_fixed_and_what_they_may_replace() {
        let ssh = Ssh {
            host: "10.0.0.1".into(),
            port: Some(2222),
            user: Some("pi".into()),
            private_key: Some("~/.ssh/pi".into()),
            host_key_checking: true,
            arguments: vec!["-J".into(), "jump".into()],
            connect_timeout: Duration::from_secs(10),
        };
        let words = ssh_options(&ssh, Part::Master, "/d/c".into(), "/d/log".into());
        assert_eq!(
            words.join(" "),
            "-T -E /d/log -S /d/c -o ControlMaster=yes -o ControlPersist=no -o BatchMode=yes -o RemoteCommand=none \
             -o ClearAllForwardings=yes -o LogLevel=ERROR -J jump -o ConnectTimeout=10 -o StrictHostKeyChecking=yes \
             -o ServerAliveInterval=15 -p 2222 -l pi -i ~/.ssh/pi"
        );
    }
}

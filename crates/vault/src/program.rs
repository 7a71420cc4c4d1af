//! Programs that print a password. One whose name ends in `-client` is told the label (ansible-core 2.19,
//! `ScriptVaultSecret` and `ClientScriptVaultSecret`).

use crate::{Error, Password};
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use zeroize::Zeroizing;

/// How a client says that it knows no password for the vault id.
const UNKNOWN_LABEL: i32 = 2;

/// Runs it. Its standard input is ours, so that it can ask; so is its standard error, unless it is a client.
#[expect(clippy::disallowed_methods, reason = "a password program is one that the user names")]
pub(crate) fn run(path: &Path, label: &str) -> Result<Password, Error> {
    let is_client = is_client(path);
    let mut command = Command::new(found(path));
    if is_client {
        command.args(["--vault-id", label]);
    }
    command.stdin(Stdio::inherit()).stderr(if is_client { Stdio::piped() } else { Stdio::inherit() });
    let output = command.output().map_err(|source| Error::ProgramStart { path: path.to_owned(), source })?;
    let stdout = Zeroizing::new(output.stdout);
    if !output.status.success() {
        let ended = match output.status.code() {
            Some(UNKNOWN_LABEL) if is_client => format!("knows no password for the vault id `{label}`"),
            _ => ended(output.status),
        };
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::Program { path: path.to_owned(), ended, stderr });
    }
    Password::printed(&stdout).map_err(|_| Error::Program {
        path: path.to_owned(),
        ended: "printed no password".to_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

/// A bare name is a file here, not a program to be looked for in `PATH`.
fn found(path: &Path) -> PathBuf {
    if path.components().count() == 1 { Path::new(".").join(path) } else { path.to_owned() }
}

fn ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "did not end well".to_owned(),
    }
}

/// `something-client`, with or without an ending.
fn is_client(path: &Path) -> bool {
    let stem: OsString = path.file_stem().map(OsString::from).unwrap_or_default();
    stem.as_encoded_bytes().ends_with(b"-client")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/x/pass-client", true)]
    #[case("pass-client.py", true)]
    #[case("pass-client.d/pass", false)]
    #[case("pass-client.tar.gz", false)]
    #[case("client", false)]
    #[case("-client", true)]
    fn clients(#[case] path: &str, #[case] expected: bool) {
        assert_eq!(is_client(Path::new(path)), expected);
    }
}

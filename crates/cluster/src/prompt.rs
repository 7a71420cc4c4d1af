//! Questions to the user, secrets without echo. Where there is no terminal the answer is an error at once, never a wait.

use crate::exit::{Failure, Result};
use diagnostic::Secret;
use std::io::IsTerminal;

/// The password that sudo wants.
pub(crate) fn become_password() -> Result<Secret<String>> {
    let hint = "run it in a terminal, or set `ansible_become_password` in an encrypted file";
    Ok(secret("BECOME password: ", "the password of sudo", hint)?)
}

/// Something that nobody else should see. `what` names it in the error for a place without a terminal, `hint` says what to do there.
pub(crate) fn secret(question: &str, what: &str, hint: &str) -> std::result::Result<Secret<String>, Failure> {
    if !has_terminal() {
        return Err(Failure::usage(format!("there is no terminal to ask for {what}")).hinted(hint));
    }
    rpassword::prompt_password(question)
        .map(Secret::new)
        .map_err(|error| Failure::usage(format!("{what} could not be read")).because(error))
}

/// Whether someone sits at a terminal: one of the streams that are not data is one.
pub(crate) fn has_terminal() -> bool {
    (std::io::stdin().is_terminal() || std::io::stderr().is_terminal()) && std::fs::File::open("/dev/tty").is_ok()
}

/// The terminal itself, to ask what is no secret.
pub(crate) fn terminal() -> Result<std::fs::File> {
    let opened = std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty");
    Ok(opened.map_err(|error| Failure::usage("the terminal can not be opened").because(error))?)
}

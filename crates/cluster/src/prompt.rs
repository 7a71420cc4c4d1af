//! Questions to the user, secrets without echo. Where there is no terminal the answer is an error at once, never a wait.

use crate::exit::{Failure, Result};
use crate::interrupt;
use diagnostic::Secret;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{ErrorKind, IsTerminal};
use std::sync::{Mutex, PoisonError};

/// How the terminal was before it was asked to hide what is typed.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

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
    let _until_answered = interrupt::asking();
    remember_terminal();
    match rpassword::prompt_password(question) {
        Ok(typed) => Ok(Secret::new(typed)),
        Err(error) if error.kind() == ErrorKind::Interrupted => wait_for_the_end(),
        Err(error) => Err(Failure::usage(format!("{what} could not be read")).because(error)),
    }
}

fn remember_terminal() {
    let before = File::open("/dev/tty").ok().and_then(|terminal| tcgetattr(terminal).ok());
    *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = before;
}

/// Puts the terminal back as it was before a question without echo, if there was one.
pub(crate) fn show_typing_again() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let (Some(before), Ok(terminal)) = (before, File::open("/dev/tty")) {
        // It may have been closed, which is why the process is told to end.
        let _gone = tcsetattr(terminal, OptionalActions::Now, &before);
    }
}

/// The terminal gives Ctrl-C to rpassword, which sends us its signal: that ends the process, in a thread of its own.
fn wait_for_the_end() -> ! {
    loop {
        std::thread::park();
    }
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

//! Questions to the user, without echo. Where there is no terminal the answer is an error at once, never a wait.

use crate::exit::{Failure, Result};
use diagnostic::Secret;
use std::io::IsTerminal;

/// The password that sudo wants.
pub(crate) fn become_password() -> Result<Secret<String>> {
    if !std::io::stdin().is_terminal() {
        let failure = Failure::usage("there is no terminal to ask for the password of sudo");
        return Err(failure
            .hinted("run it in a terminal, or set `ansible_become_password` in an encrypted file")
            .into());
    }
    rpassword::prompt_password("BECOME password: ")
        .map(Secret::new)
        .map_err(|error| Failure::usage("the password could not be read").because(error).into())
}

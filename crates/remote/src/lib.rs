//! A shell on a machine: this one, or another over the system's OpenSSH; as the login user or, by sudo or su, another.
//! One POSIX shell stays open per user, and one command is one round trip. Files travel over the same connection: as a
//! command's `input`, and as its output.
//!
//! `sh/driver.sh` is the loop that stays open on the machine, `sh/worker.sh` what runs one command, `protocol.rs` and
//! `shell.rs` their counterpart. Nothing is written to the machine's disks, nothing is installed, and no script, argument,
//! input or password appears in its list of processes.

mod classify;
mod command;
mod destination;
mod error;
mod forward;
mod machine;
mod open;
mod protocol;
mod queue;
mod quote;
mod shell;
mod start;

pub use command::{Become, BecomeMethod, Command, Output, Ssh, Transport};
pub use error::{Cause, Error};
pub use forward::Forward;
pub use machine::{Machine, Options};

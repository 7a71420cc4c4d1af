//! Who runs on which processor: what is measured has the first for itself, everything else shares the second.

use anyhow::{Result, ensure};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::ffi::OsStr;
use std::process::Command;

/// Puts this thread, and what it starts from now on, on the second processor.
///
/// # Errors
/// The machine has only one.
pub fn take_second() -> Result<()> {
    let allowed = sched_getaffinity(None)?;
    ensure!(allowed.is_set(0) && allowed.is_set(1), "two processors are needed, and this machine lets us use fewer");
    let mut second = CpuSet::new();
    second.set(1);
    Ok(sched_setaffinity(None, &second)?)
}

/// The program on the first processor.
pub fn on_first(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0"]).arg(program);
    command
}

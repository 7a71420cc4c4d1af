//! `cluster`: parse, run, return the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    cluster::run(std::env::args_os())
}

//! How long the programs take to start.

use crate::machine::Machine;
use crate::peer::{clean, timed};
use crate::samples::Samples;
use anyhow::Result;

/// How often each is started.
const RUNS: usize = 15;

/// `cluster --help` and `ansible --version`, in turn.
pub fn startup(machine: &Machine) -> Result<(Samples, Samples)> {
    let (ours, theirs) = (support::cluster()?, support::reference("ansible")?);
    let mut samples = (Samples::default(), Samples::default());
    for run in 0..RUNS {
        for _ in 0..2 {
            let mut command = clean(&ours, machine);
            command.arg("--help");
            samples.0.add(timed(vec![command])?.duration);
        }
        if run % 3 == 0 {
            let mut command = clean(&theirs, machine);
            command.arg("--version");
            samples.1.add(timed(vec![command])?.duration);
        }
    }
    Ok(samples)
}

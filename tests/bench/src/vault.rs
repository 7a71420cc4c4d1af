//! How long it takes to show an encrypted file: nothing but starting, deriving the key, decrypting and printing.

use crate::machine::Machine;
use crate::peer::{Ran, clean, timed};
use crate::samples::Samples;
use anyhow::{Result, ensure};
use std::ffi::OsStr;

/// The size of the plaintext: 1 MB.
const BYTES: usize = 1_000_000;

/// How often ours runs for each run of the other, which takes longer.
const QUICK_RUNS: usize = 3;

/// `cluster vault view` and `ansible-vault view` of the same file, in turn, `rounds` times.
pub fn vault(machine: &Machine, rounds: usize) -> Result<(Samples, Samples)> {
    let (ours, theirs) = (support::cluster()?, support::reference("ansible-vault")?);
    let text = text();
    std::fs::write(machine.here().join("secret.yml"), &text)?;
    std::fs::write(machine.here().join("vault-password"), "bench\n")?;
    run(&theirs, machine, ["encrypt"])?;
    let mut samples = (Samples::default(), Samples::default());
    for _ in 0..rounds {
        for _ in 0..QUICK_RUNS {
            samples.0.add(view(&ours, machine, ["vault", "view"], &text)?);
        }
        samples.1.add(view(&theirs, machine, ["view"], &text)?);
    }
    Ok(samples)
}

/// Both must print the whole file.
fn view<const N: usize>(
    program: impl AsRef<OsStr>,
    machine: &Machine,
    command: [&str; N],
    text: &str,
) -> Result<std::time::Duration> {
    let ran = run(program, machine, command)?;
    ensure!(ran.text.trim_end() == text.trim_end(), "`{}` does not print the file", command.join(" "));
    Ok(ran.duration)
}

fn run<const N: usize>(program: impl AsRef<OsStr>, machine: &Machine, command: [&str; N]) -> Result<Ran> {
    let mut process = clean(program, machine);
    // An empty file: default settings, whatever this machine's /etc/ansible has.
    process.env("ANSIBLE_CONFIG", "ansible.cfg");
    process.args(command).args(["--vault-password-file", "vault-password", "secret.yml"]);
    timed(vec![process])
}

/// Lines of YAML, no two the same.
fn text() -> String {
    let lines = (0..).map(|number| format!("key_{number:06}: \"value of {number}, which nobody may see\"\n"));
    let mut text = String::with_capacity(BYTES + 80);
    for line in lines {
        if text.len() >= BYTES {
            break;
        }
        text += &line;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_a_megabyte_of_lines() {
        let text = text();
        assert!((BYTES..BYTES + 80).contains(&text.len()) && text.ends_with("\"\n"));
    }
}

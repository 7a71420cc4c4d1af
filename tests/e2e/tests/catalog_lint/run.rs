//! Runs of the command.

use anyhow::{Context, Result};
use e2e::World;
use serde_json::Value;
use std::ffi::OsString;
use support::{Ended, reference};

/// `cluster catalog lint` with the reference's Python environment, as far as it is there, in `PATH`.
pub fn lint(world: &World, arguments: &[&str]) -> Result<Ended> {
    let mut path = OsString::new();
    if let Ok(ansible) = reference("ansible-playbook") {
        path.push(ansible.parent().context("a program lies in a folder")?);
        path.push(":");
    }
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut command = world.project.command(["catalog", "lint"].iter().chain(arguments))?;
    Ok(Ended::from(command.env("PATH", path).output()?))
}

/// The objects of one kind, as `--output json` prints them.
pub fn told<'a>(ended: &'a Ended, event: &'a str) -> impl Iterator<Item = Value> + 'a {
    let objects = ended.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    objects.filter(move |object| object["event"] == event)
}

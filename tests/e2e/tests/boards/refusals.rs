//! What stands between the user and the controller is said, with its exit code, before anything is touched.

use crate::board::Board;
use anyhow::{Result, ensure};
use e2e::{World, ends_with, says};
use support::Sudo;

fn nothing_is_deployed(world: &World) -> Result<()> {
    let releases = world.project.helm(&["list", "--all", "--short"])?;
    ensure!(releases.trim().is_empty(), "deployed: {releases}");
    Ok(())
}

pub fn uncommitted(world: &World) -> Result<()> {
    let board = Board::new(world, Sudo::WithoutPassword)?;
    // Values are taken from the working tree in any case, so they do not count.
    world.project.write("build/playbooks/ollama/values.yml", "replicas: 1\n")?;
    world.project.write("build/charts/ollama/README.md", "changed\n")?;
    let ended = board.deploy(world, &["ollama"])?;
    ends_with(&ended, 2)?;
    says(&ended, "1 file has uncommitted changes")?;
    says(&ended, "--source worktree")?;
    nothing_is_deployed(world)
}

pub fn unknown_host_key(world: &World) -> Result<()> {
    let board = Board::new(world, Sudo::WithoutPassword)?;
    std::fs::write(board.sshd.known_hosts(), "")?;
    let ended = board.deploy(world, &["ollama"])?;
    ends_with(&ended, 3)?;
    says(&ended, "host key")?;
    says(&ended, "hint: ")?;
    nothing_is_deployed(world)
}

pub fn refused_key(world: &World) -> Result<()> {
    let board = Board::new(world, Sudo::WithoutPassword)?;
    let inventory = std::fs::read_to_string(world.project.path().join("boards.ini"))?;
    // Ignored by git, so that nothing but the key stands in the way.
    let other = inventory.replace(board.user.name(), "nobody-of-this-name");
    world.project.write(".cluster/other.ini", &other)?;
    let ended = board.deploy(world, &["ollama", "--inventory=.cluster/other.ini"])?;
    ends_with(&ended, 3)?;
    says(&ended, "nobody-of-this-name")?;
    says(&ended, "hint: ")?;
    nothing_is_deployed(world)
}

pub fn dead_port(world: &World) -> Result<()> {
    let mut board = Board::new(world, Sudo::WithoutPassword)?;
    board.sshd.stop();
    let ended = board.deploy(world, &["ollama"])?;
    ends_with(&ended, 3)?;
    says(&ended, "amd-build")?;
    says(&ended, "unreachable")?;
    nothing_is_deployed(world)
}

pub fn sudo_password(world: &World) -> Result<()> {
    let board = Board::new(world, Sudo::WithPassword)?;
    let ended = board.deploy(world, &["ollama"])?;
    ends_with(&ended, 1)?;
    says(&ended, "sudo")?;
    says(&ended, "--ask-become-pass")?;
    nothing_is_deployed(world)
}

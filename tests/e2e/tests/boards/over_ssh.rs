//! Deployments that go well.

use crate::board::Board;
use anyhow::{Result, ensure};
use e2e::{World, ends_with, says};
use support::Sudo;

/// Cloned, installed with sudo, verified; again: nothing is touched.
pub fn from_a_clone(world: &World) -> Result<()> {
    let board = Board::new(world, Sudo::WithoutPassword)?;
    let ended = board.deploy(world, &["ollama"])?;
    ends_with(&ended, 0)?;
    says(&ended, "Target: boards: controller amd-build")?;
    says(&ended, &format!("{}@127.0.0.1", board.user.name()))?;
    says(&ended, "changed: [amd-build] Copy src")?;
    says(&ended, "changed: [amd-build] Install ollama")?;
    ensure!(world.status("ollama")? == "deployed");
    let clone = board.user.home().join("compute-cluster");
    ensure!(clone.join("build/charts/ollama/Chart.yaml").is_file(), "nothing was cloned to {}", clone.display());
    let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(&clone)?);
    ensure!(owner != 0, "the clone belongs to root, not to the user");
    let before = world.object_versions()?;
    let again = board.deploy(world, &["ollama"])?;
    ends_with(&again, 0)?;
    says(&again, "changed=0")?;
    ensure!(before == world.object_versions()?, "the second run touched something");
    Ok(())
}

/// A change that nobody committed reaches the cluster.
pub fn from_the_working_tree(world: &World) -> Result<()> {
    let board = Board::new(world, Sudo::WithoutPassword)?;
    let chart = world.project.path().join("build/charts/ollama/Chart.yaml");
    let text = std::fs::read_to_string(&chart)?;
    std::fs::write(&chart, text.replace("version: 0.1.0", "version: 0.1.1"))?;
    let ended = board.deploy(world, &["ollama", "--source=worktree"])?;
    ends_with(&ended, 0)?;
    says(&ended, "the working tree, sent to the controller")?;
    says(&ended, "1 file has uncommitted changes")?;
    says(&ended, "chart ollama-0.1.1")
}

//! The first deployment, and the second one, which must touch nothing.

use anyhow::{Result, ensure};
use e2e::{World, says};

/// Everything that a user is promised on the first run.
pub fn first(world: &World) -> Result<()> {
    let ended = world.deployed(&["ollama"])?;
    for text in [
        "Target: sandbox: 5 simulated nodes",
        "the working tree as it is",
        "changed: [amd-build] Install ollama",
        "deployment/ollama",
        "not run: simulated: http ollama:11434",
        "release revision 1 (deployed)",
        "cluster status ollama --target sandbox",
    ] {
        says(&ended, text)?;
    }
    let status = world.project.done(["status", "--target=sandbox", "ollama"])?;
    says(&status, "ready")
}

/// Again: nothing changed, no revision, no object of the releases touched.
pub fn second(world: &World) -> Result<()> {
    world.deployed(&["postgres", "ollama"])?;
    let revisions = (world.revision("postgres")?, world.revision("ollama")?);
    let before = world.object_versions()?;
    let ended = world.deployed(&["postgres", "ollama"])?;
    says(&ended, "unchanged     2")?;
    ensure!(!ended.stderr.contains("changed: ["), "something changed:\n{}", ended.stderr);
    ensure!(revisions == (world.revision("postgres")?, world.revision("ollama")?), "a revision was written");
    let after = world.object_versions()?;
    ensure!(before == after, "touched: {before:#?}\n{after:#?}");
    Ok(())
}

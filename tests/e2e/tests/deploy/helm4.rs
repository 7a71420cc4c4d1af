//! Helm 4 instead of Helm 3: the sandbox's variables name it.

use anyhow::{Result, ensure};
use e2e::{World, says};
use support::tools;

pub fn deploys(world: &World) -> Result<()> {
    world.with_helm(&tools().join("helm4"), || deploy_twice(world))
}

fn deploy_twice(world: &World) -> Result<()> {
    says(&world.deployed(&["postgres", "ollama"])?, "deployed      2")?;
    let before = world.object_versions()?;
    says(&world.deployed(&["postgres", "ollama"])?, "unchanged     2")?;
    ensure!(before == world.object_versions()?, "the second run touched something");
    Ok(())
}

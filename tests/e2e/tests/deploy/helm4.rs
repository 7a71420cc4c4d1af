//! Helm 4 instead of Helm 3: the sandbox's variables name it.

use anyhow::{Result, ensure};
use e2e::{World, says};
use support::tools;

pub fn deploys(world: &World) -> Result<()> {
    let vars = world.project.path().join(".cluster/sandbox/vars.yml");
    let before = std::fs::read_to_string(&vars)?;
    let helm4 = tools().join("helm4");
    ensure!(helm4.is_file(), "{} is missing: run `make tools`", helm4.display());
    let lines = before.lines().filter(|line| !line.starts_with("helm:"));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    std::fs::write(&vars, format!("{text}helm: \"{}\"\n", helm4.display()))?;
    let ended = deploy_twice(world);
    std::fs::write(&vars, before)?;
    ended
}

fn deploy_twice(world: &World) -> Result<()> {
    says(&world.deployed(&["postgres", "ollama"])?, "release revision 1 (deployed)")?;
    let before = world.object_versions()?;
    says(&world.deployed(&["postgres", "ollama"])?, "changed=0")?;
    ensure!(before == world.object_versions()?, "the second run touched something");
    Ok(())
}

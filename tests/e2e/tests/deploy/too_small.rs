//! Every machine made too small for the service.

use anyhow::Result;
use e2e::{World, ends_with, says};

pub fn each_node_says_why(world: &World) -> Result<()> {
    let inventory = world.project.path().join("ansible/inventory/compute.ini");
    let text = std::fs::read_to_string(&inventory)?;
    let small = text.replace("node_memory=32Gi", "node_memory=1Gi").replace("node_memory=8Gi", "node_memory=1Gi");
    std::fs::write(&inventory, small)?;
    world.project.done(["sandbox", "up"])?;
    let ended = world.deploy(&["ollama"])?;
    ends_with(&ended, 1)?;
    for node in ["amd-build", "pi-1", "pi-2", "pi-3", "pi-4"] {
        says(&ended, &format!("{node}: memory: needs 4Gi"))?;
    }
    says(&ended, "hint: lower the requests")?;
    // Larger again, and the service comes up without anything being cleaned.
    std::fs::write(&inventory, text)?;
    world.project.done(["sandbox", "up"])?;
    world.deployed(&["ollama"])?;
    Ok(())
}

//! What goes wrong is said whole, with its exit code, and leaves the service deployable.

use anyhow::{Result, ensure};
use e2e::{World, ends_with, says};

pub fn helm_refuses(world: &World) -> Result<()> {
    let ended = world.deploy(&["ollama", "--set", "image.tag=latest"])?;
    ends_with(&ended, 1)?;
    says(&ended, "error: service `ollama` was not deployed")?;
    // Helm's own words name the field.
    says(&ended, "/image/tag")?;
    says(&ended, "hint: correct `--set`; `build/charts/ollama/values.yaml` shows every value")?;
    points_at_the_file_with_the_values(world)?;
    world.deployed(&["ollama"])?;
    Ok(())
}

fn points_at_the_file_with_the_values(world: &World) -> Result<()> {
    world.project.write("typo.yml", "image:\n  tagg: latest\n")?;
    let ended = world.deploy(&["ollama", "--values=typo.yml"])?;
    ends_with(&ended, 1)?;
    says(&ended, "--> typo.yml:2:3")
}

pub fn unschedulable(world: &World) -> Result<()> {
    let ended = world.deploy(&["ollama", "--set", "nodeSelector.nope=x"])?;
    ends_with(&ended, 1)?;
    says(&ended, "node selector: needs nope=x, has no such label")?;
    says(&ended, "hint: correct `nodeSelector` or `affinity`")
}

pub fn unknown_service(world: &World) -> Result<()> {
    let ended = world.deploy(&["olama"])?;
    ends_with(&ended, 2)?;
    says(&ended, "olama")?;
    says(&ended, "did you mean `ollama`?")
}

pub fn secret_argument(world: &World) -> Result<()> {
    let ended = world.deploy(&["postgres", "--set", "auth.password=correct-horse"])?;
    ends_with(&ended, 2)?;
    ensure!(!ended.stderr.contains("correct-horse"), "the secret was shown: {}", ended.stderr);
    says(&ended, "hint: ")
}

pub fn timeout(world: &World) -> Result<()> {
    // A claim of a class that nobody provides stays unbound, so the pod has no node.
    let values = "persistence:\n  storageClass: nobody-provides-this\n";
    world.project.write("slow.yml", values)?;
    let ended = world.deploy(&["ollama", "--values=slow.yml", "--timeout=2s"])?;
    ends_with(&ended, 1)?;
    says(&ended, "deployment/ollama")?;
    world.reset()?;
    world.deployed(&["ollama"])?;
    Ok(())
}

pub fn check_mode(world: &World) -> Result<()> {
    let ended = world.deployed(&["ollama", "--check"])?;
    says(&ended, "check mode: nothing is changed")?;
    says(&ended, "changed=1")?;
    says(&ended, "ollama would change: run it without `--check`")?;
    ensure!(world.project.helm(&["list", "--all", "--short"])?.trim().is_empty(), "a release was made");
    world.deployed(&["ollama"])?;
    says(&world.deployed(&["ollama", "--check"])?, "ollama would not change")
}

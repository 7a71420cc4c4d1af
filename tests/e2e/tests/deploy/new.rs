//! What `cluster new` writes, untouched: it keeps every rule, deploys, and the second deployment touches nothing.

use anyhow::{Context, Result, ensure};
use e2e::{World, says};
use std::process::Command;
use support::{services, tools};
use tempfile::TempDir;

/// The guide's example: Redis, with a volume.
const STORE: [&str; 11] = [
    "redis2",
    "--image=redis:7.4.11-bookworm",
    "--port=6379",
    "--kind=statefulset",
    "--storage=1Gi",
    "--mount=/data",
    "--category=database",
    "--phase=core",
    "--summary=a store in memory",
    "--user=999",
    "--quiet",
];

/// HTTP that an ingress can lead to, for one architecture, with a dot in its name.
const PAGE: [&str; 7] = [
    "start.page",
    "--image=example/page:2.5",
    "--port=80",
    "--health=/health?full=1",
    "--arch=amd64",
    "--requires=redis2",
    "--quiet",
];

const VAULTED: [&str; 6] =
    ["hub", "--image=example/hub:v1.0", "--port=8080", "--secret-env=HUB_TOKEN,HUB_KEY", "--storage=1Gi", "--quiet"];

fn written(world: &World, arguments: &[&str]) -> Result<()> {
    world.project.done([&["new"], arguments].concat())?;
    Ok(())
}

/// Twice; the second run touches nothing.
fn deployed_twice(world: &World, arguments: &[&str]) -> Result<()> {
    says(&world.deployed(arguments)?, "release revision 1 (deployed)")?;
    let before = world.object_versions()?;
    says(&world.deployed(arguments)?, "changed=0")?;
    let after = world.object_versions()?;
    ensure!(before == after, "touched: {before:#?}\n{after:#?}");
    Ok(())
}

pub fn a_store(world: &World) -> Result<()> {
    written(world, &STORE)?;
    deployed_twice(world, &["redis2"])?;
    let claim =
        world.project.kubectl(&["get", "persistentvolumeclaim", "redis2", "--output=jsonpath={.status.phase}"])?;
    ensure!(claim == "Bound", "the claim is {claim}");
    Ok(())
}

pub fn an_application(world: &World) -> Result<()> {
    written(world, &STORE)?;
    written(world, &PAGE)?;
    world.deployed(&["redis2"])?;
    deployed_twice(world, &["start.page"])?;
    let node = ["get", "pods", "--selector=app=start-page", "--output=jsonpath={.items[*].spec.nodeName}"];
    ensure!(world.project.kubectl(&node)? == "amd-build", "an image for amd64 alone runs on the one such node");
    let policy = world.project.kubectl(&["get", "networkpolicy", "start-page", "--output=jsonpath={.spec.egress}"])?;
    ensure!(policy.contains("6379") && policy.contains("redis2"), "what it requires is reached: {policy}");
    world.deployed(&["start.page", "--set", "ingress.enabled=true", "--set", "ingress.host=start.home.example"])?;
    let host = ["get", "ingress", "start-page", "--output=jsonpath={.spec.rules[0].host}"];
    ensure!(world.project.kubectl(&host)? == "start.home.example", "the ingress leads to it");
    Ok(())
}

pub fn a_vaulted_one(world: &World) -> Result<()> {
    written(world, &VAULTED)?;
    let folder = TempDir::with_prefix("cluster-new-test-")?;
    let password = folder.path().join("password");
    std::fs::write(&password, "of the vault\n")?;
    let services = services(&world.project)?;
    let hub = services.iter().find(|service| service.name == "hub").context("the catalogue has it")?;
    let values = hub.keys(&world.project)?.into_iter().map(|key| (key.clone(), format!("{key}-0123456789abcdef")));
    hub.configure(&world.project, &values.collect(), &password)?;
    deployed_twice(world, &["hub", "--vault-password-file", password.to_str().context("UTF-8")?])?;
    let secret = ["get", "secret", "hub-config", "--output=jsonpath={.data.hub_token}"];
    ensure!(!world.project.kubectl(&secret)?.is_empty(), "the Secret has no token");
    Ok(())
}

/// Helm's own example is the chart of somebody else, found in the cache.
pub fn a_chart_of_others(world: &World) -> Result<()> {
    let folder = TempDir::with_prefix("cluster-new-test-")?;
    let cache = folder.path().join("cache");
    for words in [&["create", "gatekeeper"][..], &["package", "gatekeeper", "--version=1.2.3", "--destination=cache"]] {
        let made = Command::new(tools().join("helm")).args(words).current_dir(folder.path()).output()?;
        ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    let inventory = "ansible/inventory/compute.ini";
    let text = std::fs::read_to_string(world.project.path().join(inventory))?;
    world.project.write(inventory, &format!("{text}\nupstream_cache={}\n", cache.display()))?;
    written(world, &["gate", "--from-chart=https://charts.example.invalid/gatekeeper@1.2.3", "--quiet"])?;
    deployed_twice(world, &["gate"])?;
    let policy = world.project.kubectl(&["get", "networkpolicy", "gate", "--output=jsonpath={.spec.podSelector}"])?;
    ensure!(policy.contains("gate"), "{policy}");
    // The archive is ignored by git, so a reset would leave it.
    std::fs::remove_dir_all(world.project.path().join("build/charts/gate"))?;
    Ok(())
}

/// All of them by all rules, the API server's among them.
pub fn every_rule_is_kept(world: &World) -> Result<()> {
    for arguments in [&STORE[..], &PAGE, &VAULTED] {
        written(world, arguments)?;
    }
    written(
        world,
        &["warden", "--from-chart=oci://ghcr.io/example/gatekeeper@1.2.3", "--namespace=gate", "--crds", "--quiet"],
    )?;
    let ended = world.project.done(["catalog", "lint", "redis2", "start.page", "hub", "warden"])?;
    says(&ended, "4 services: 0 findings")
}

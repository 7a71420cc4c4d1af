//! The same `build.yml` through `ansible-playbook` and through ours: the same releases, the same manifests.

use anyhow::{Context, Result, ensure};
use e2e::World;
use serde_json::{Map, Value};
use std::process::Command;
use std::time::Duration;
use support::{reference, wait_until};

const SERVICES: [&str; 2] = ["postgres", "ollama"];

pub fn same_releases(world: &World) -> Result<()> {
    world.deployed(&SERVICES)?;
    let ours = releases(world)?;
    world.reset()?;
    for service in SERVICES {
        with_ansible(world, service)?;
    }
    let theirs = releases(world)?;
    ensure!(ours == theirs, "the releases differ:\n{ours:#?}\n{theirs:#?}");
    // What the other engine deployed is unchanged for ours.
    settled(world)?;
    let before = world.object_versions()?;
    world.deployed(&SERVICES)?;
    let after = world.object_versions()?;
    ensure!(before == after, "ours changed what ansible-playbook had deployed:\n{before:#?}\n{after:#?}");
    Ok(())
}

/// Waits until the controllers have nothing more to write about what was deployed: `ansible-playbook` does not.
fn settled(world: &World) -> Result<()> {
    world.project.kubectl(&["rollout", "status", "deployment/ollama", "--timeout=60s"])?;
    world.project.kubectl(&["rollout", "status", "statefulset/postgres", "--timeout=60s"])?;
    let bound = "--for=jsonpath={.status.phase}=Bound";
    world.project.kubectl(&["wait", bound, "persistentvolumeclaims", "--all", "--timeout=60s"])?;
    let mut last = world.object_versions()?;
    wait_until("the objects to rest", Duration::from_secs(30), || {
        let now = world.object_versions()?;
        let rests = now == last;
        last = now;
        ensure!(rests, "they still change");
        anyhow::Ok(())
    });
    Ok(())
}

fn with_ansible(world: &World, service: &str) -> Result<()> {
    let output = Command::new(reference("ansible-playbook")?)
        .args(["-i", "ansible/inventory/compute.ini", "-e", "@.cluster/sandbox/vars.yml"])
        .arg(format!("build/playbooks/{service}/build.yml"))
        .current_dir(world.project.path())
        .env("ANSIBLE_NOCOLOR", "1")
        .env("ANSIBLE_LOCALHOST_WARNING", "0")
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "ansible-playbook: {said}\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Chart, values and manifest of each release, generated passwords reduced to their keys.
fn releases(world: &World) -> Result<Map<String, Value>> {
    let mut releases = Map::new();
    for service in SERVICES {
        let manifest = world.project.helm(&["get", "manifest", service])?;
        let mut objects: Vec<Value> = serde_saphyr::from_multiple(&manifest)?;
        ensure!(!objects.is_empty(), "release {service} has no objects");
        objects.iter_mut().for_each(without_secrets);
        let kept = serde_json::json!({
            "metadata": without_times(&world.project.helm(&["get", "metadata", service, "--output=json"])?)?,
            "values": serde_json::from_str::<Value>(&world.project.helm(&["get", "values", service, "--output=json"])?)?,
            "objects": objects,
        });
        releases.insert(service.to_owned(), kept);
    }
    Ok(releases)
}

fn without_times(json: &str) -> Result<Value> {
    let mut metadata: Value = serde_json::from_str(json)?;
    metadata.as_object_mut().context("an object")?.remove("deployedAt");
    Ok(metadata)
}

fn without_secrets(object: &mut Value) {
    if object["kind"] != "Secret" {
        return;
    }
    for field in ["data", "stringData"] {
        if let Some(data) = object[field].as_object_mut() {
            data.values_mut().for_each(|value| *value = Value::Null);
        }
    }
}

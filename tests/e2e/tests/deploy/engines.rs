//! The same `build.yml` through `ansible-playbook` and through ours: the same releases, the same manifests.

use crate::all::Configuration;
use anyhow::{Context, Result, anyhow, ensure};
use e2e::World;
use serde_json::{Map, Value};
use similar::TextDiff;
use std::process::Command;
use std::thread;
use std::time::Duration;
use support::{Project, Service, reference, wait_until};

const SERVICES: [&str; 2] = ["postgres", "ollama"];

/// The project's variables for its sandbox, and the inventory.
const TARGET: [&str; 4] = ["-i", "ansible/inventory/compute.ini", "-e", "@.cluster/sandbox/vars.yml"];

pub fn same_releases(world: &World) -> Result<()> {
    world.deployed(&SERVICES)?;
    let ours = releases(&world.project)?;
    world.reset()?;
    for service in SERVICES {
        with_ansible(&world.project, &[service], &[])?;
    }
    let theirs = releases(&world.project)?;
    compare(&ours, &theirs)?;
    // What the other engine deployed is unchanged for ours.
    settled(world)?;
    let before = world.object_versions()?;
    world.deployed(&SERVICES)?;
    let after = world.object_versions()?;
    ensure!(before == after, "ours changed what ansible-playbook had deployed:\n{before:#?}\n{after:#?}");
    Ok(())
}

/// What is deployed there is what `ansible-playbook` makes of the same services in an empty sandbox.
pub fn same_catalogue(world: &World, services: &[&Service], configuration: &Configuration) -> Result<()> {
    let ours = releases(&world.project)?;
    let other = World::new()?;
    configuration.write(&other.project)?;
    let names: Vec<_> = services.iter().map(|service| service.name.as_str()).collect();
    let password = configuration.password.to_string_lossy();
    side_by_side(&names, |names| with_ansible(&other.project, names, &["--vault-password-file", &password]))?;
    let theirs = releases(&other.project)?;
    ensure!(theirs.len() == services.len(), "{} releases of {} services", theirs.len(), services.len());
    compare(&ours, &theirs)
}

/// Half of them at a time: Ansible keeps one core busy.
fn side_by_side(names: &[&str], run: impl Fn(&[&str]) -> Result<()> + Sync) -> Result<()> {
    let (some, others) = names.split_at(names.len() / 2);
    thread::scope(|scope| {
        let second = scope.spawn(|| run(others));
        run(some)?;
        second.join().map_err(|_| anyhow!("the second half panicked"))?
    })
}

fn compare(ours: &Map<String, Value>, theirs: &Map<String, Value>) -> Result<()> {
    ensure!(ours.keys().eq(theirs.keys()), "other releases: {:?}, {:?}", ours.keys(), theirs.keys());
    for (release, ours) in ours {
        let (ours, theirs) = (format!("{ours:#}"), format!("{:#}", theirs[release]));
        let difference = TextDiff::from_lines(&ours, &theirs);
        ensure!(
            ours == theirs,
            "release {release} differs:\n{}",
            difference.unified_diff().header("ours", "ansible-playbook")
        );
    }
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

fn with_ansible(project: &Project, services: &[&str], flags: &[&str]) -> Result<()> {
    let output = Command::new(reference("ansible-playbook")?)
        .args(TARGET)
        .args(flags)
        .args(services.iter().map(|service| format!("build/playbooks/{service}/build.yml")))
        .current_dir(project.path())
        .env("ANSIBLE_NOCOLOR", "1")
        .env("ANSIBLE_LOCALHOST_WARNING", "0")
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "ansible-playbook: {said}\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Chart, values and manifest of each release in any namespace, generated passwords reduced to their keys.
fn releases(project: &Project) -> Result<Map<String, Value>> {
    let list: Vec<Value> =
        serde_json::from_str(&project.helm(&["list", "--all", "--all-namespaces", "--output=json"])?)?;
    list.iter().map(|release| described(project, release)).collect()
}

fn described(project: &Project, release: &Value) -> Result<(String, Value)> {
    let word = |key: &str| release[key].as_str().with_context(|| format!("`{key}` of {release}"));
    let (name, namespace) = (word("name")?, word("namespace")?);
    let status = project.helm(&["status", name, "--namespace", namespace, "--output=json"])?;
    let status: Value = serde_json::from_str(&status)?;
    let mut objects: Vec<Value> = serde_saphyr::from_multiple(status["manifest"].as_str().context("a manifest")?)?;
    ensure!(!objects.is_empty(), "release {name} has no objects");
    for object in &mut objects {
        without_secrets(object);
        without_version_of_secrets(object);
    }
    let kept = serde_json::json!({
        "namespace": namespace,
        "chart": word("chart")?,
        "revision": word("revision")?,
        "status": word("status")?,
        "values": status["config"],
        "objects": objects,
    });
    Ok((name.to_owned(), kept))
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

/// Pods start anew when the Secret of their configuration changes, which the API server counts.
fn without_version_of_secrets(object: &mut Value) {
    let annotations = object.pointer_mut("/spec/template/metadata/annotations").and_then(Value::as_object_mut);
    if let Some(version) = annotations.and_then(|annotations| annotations.get_mut("config-version")) {
        *version = Value::Null;
    }
}

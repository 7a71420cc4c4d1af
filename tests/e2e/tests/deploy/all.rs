//! The whole catalogue at once.

use crate::engines;
use anyhow::{Context, Result, bail, ensure};
use e2e::{World, ends_with};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use support::{Ended, Project, Service, services};
use tempfile::TempDir;

/// What the project's issue asks for: at least so many services with charts of our own.
const OWN_CHARTS: usize = 25;

/// Configuration for each vaulted service, and its password.
pub struct Configuration {
    /// Where the password is, as long as this lives.
    _folder: TempDir,
    services: Vec<Service>,
    pub password: PathBuf,
}

impl Configuration {
    fn new(services: &[Service]) -> Result<Self> {
        let folder = TempDir::with_prefix("cluster-all-")?;
        let password = folder.path().join("password");
        std::fs::write(&password, "of the vault\n")?;
        let services = services.iter().filter(|service| service.vault).cloned().collect();
        Ok(Self { _folder: folder, services, password })
    }

    /// Makes each `cfg.enc`.
    pub fn write(&self, project: &Project) -> Result<()> {
        for service in &self.services {
            let keys = service.keys(project)?.into_iter();
            let values = keys.map(|key| (key, "0123456789abcdef0123456789abcdef".to_owned())).collect();
            service.configure(project, &values, &self.password)?;
        }
        Ok(())
    }
}

/// Every service with a chart of our own is deployed and verified, nothing is Pending, and it all fits when a worker is lost. Again:
/// nothing is touched. `ansible-playbook` makes the same of it.
pub fn twice(world: &World) -> Result<()> {
    let services = services(&world.project)?;
    let configuration = Configuration::new(&services)?;
    configuration.write(&world.project)?;
    let deploy = || {
        let flags = ["deploy", "--all", "--target=sandbox", "--keep-going", "--output=json", "--vault-password-file"];
        let mut command = world.project.command(flags)?;
        Ok::<_, anyhow::Error>(Ended::from(command.arg(&configuration.password).output()?))
    };
    let first = deploy()?;
    ends_with(&first, 0)?;
    let own = own(&services, world)?;
    ensure!(own.len() >= OWN_CHARTS, "only {} services have charts of our own", own.len());
    let finished = finished(&first)?;
    ensure!(names(&finished, &["deployed", "unchanged"]) == own, "not all are up: {finished}\n{}", first.stderr);
    let upstream: BTreeSet<_> =
        services.iter().map(|service| service.name.clone()).filter(|name| !own.contains(name)).collect();
    ensure!(
        names(&finished, &["not_run"]) == upstream,
        "others than those of upstream charts were not run: {finished}"
    );
    nothing_is_pending(world)?;
    Room::of(world)?.fits_without_any_worker()?;
    let before = world.release_objects()?;
    let again = deploy()?;
    ends_with(&again, 0)?;
    let finished = self::finished(&again)?;
    ensure!(names(&finished, &["unchanged"]) == own, "something changed: {finished}");
    let after = world.release_objects()?;
    ensure!(before == after, "touched: {:#?}", differences(&before, &after));
    let own: Vec<_> = services.iter().filter(|service| own.contains(&service.name)).collect();
    engines::same_catalogue(world, &own, &configuration)
}

fn own(services: &[Service], world: &World) -> Result<BTreeSet<String>> {
    let mut own = BTreeSet::new();
    for service in services {
        if !service.is_upstream(&world.project)? {
            own.insert(service.name.clone());
        }
    }
    Ok(own)
}

/// The last event.
fn finished(ended: &Ended) -> Result<Value> {
    let mut events = ended.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events.rfind(|event| event["event"] == "finished").with_context(|| ended.stdout.clone())
}

fn names(finished: &Value, outcomes: &[&str]) -> BTreeSet<String> {
    let of = |outcome: &&str| finished[*outcome].as_array().cloned().unwrap_or_default();
    outcomes.iter().flat_map(of).filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

fn differences<'a>(before: &'a BTreeMap<String, String>, after: &'a BTreeMap<String, String>) -> Vec<&'a String> {
    let same = |key: &&String| before.get(*key) == after.get(*key);
    before.keys().chain(after.keys()).filter(|key| !same(key)).collect()
}

fn nothing_is_pending(world: &World) -> Result<()> {
    for kind in ["pods", "persistentvolumeclaims"] {
        let json = world.project.kubectl(&["get", kind, "--all-namespaces", "--output=json"])?;
        let list: Value = serde_json::from_str(&json)?;
        for item in list["items"].as_array().context("a list")? {
            ensure!(item["status"]["phase"] != "Pending", "{kind}: {} is Pending", item["metadata"]["name"]);
        }
    }
    Ok(())
}

/// What the nodes have, and what the pods ask for.
struct Room {
    nodes: Vec<Node>,
    pods: Vec<Pod>,
}

struct Node {
    name: String,
    arch: String,
    is_worker: bool,
    cpu_millis: u64,
    memory_bytes: u64,
}

struct Pod {
    /// Pods that a DaemonSet has on each node go with their node.
    is_on_each_node: bool,
    node: String,
    /// The only architecture that it may run on, if there is one.
    arch: Option<String>,
    cpu_millis: u64,
    memory_bytes: u64,
}

impl Room {
    fn of(world: &World) -> Result<Self> {
        let list = |kind: &str| -> Result<Vec<Value>> {
            let json = world.project.kubectl(&["get", kind, "--all-namespaces", "--output=json"])?;
            let list: Value = serde_json::from_str(&json)?;
            list["items"].as_array().cloned().context("a list")
        };
        let nodes = list("nodes")?.iter().map(node).collect::<Result<_>>()?;
        let pods = list("pods")?.iter().map(pod).collect::<Result<_>>()?;
        Ok(Self { nodes, pods })
    }

    /// With any one worker gone, what the pods ask for is less than what the other nodes have, also by architecture.
    fn fits_without_any_worker(&self) -> Result<()> {
        for lost in self.nodes.iter().filter(|node| node.is_worker) {
            let kept: Vec<_> = self.nodes.iter().filter(|node| node.name != lost.name).collect();
            let pods: Vec<_> = self.pods.iter().filter(|pod| !(pod.is_on_each_node && pod.node == lost.name)).collect();
            for arch in [None, Some("amd64"), Some("arm64")] {
                let nodes = kept.iter().filter(|node| arch.is_none_or(|arch| node.arch == arch));
                let (cpu, memory) =
                    nodes.fold((0, 0), |sum, node| (sum.0 + node.cpu_millis, sum.1 + node.memory_bytes));
                let bound = pods.iter().filter(|pod| arch.is_none() || pod.arch.as_deref() == arch);
                let (wants_cpu, wants_memory) =
                    bound.fold((0, 0), |sum, pod| (sum.0 + pod.cpu_millis, sum.1 + pod.memory_bytes));
                eprintln!(
                    "without {}, {}: {wants_cpu}m of {cpu}m, {} of {} MiB",
                    lost.name,
                    arch.unwrap_or("all"),
                    wants_memory >> 20,
                    memory >> 20
                );
                ensure!(
                    wants_cpu <= cpu && wants_memory <= memory,
                    "without {} the pods do not fit ({arch:?}): {wants_cpu}m of {cpu}m, {wants_memory} of {memory} bytes",
                    lost.name
                );
            }
        }
        Ok(())
    }
}

fn node(node: &Value) -> Result<Node> {
    let labels = &node["metadata"]["labels"];
    let has = &node["status"]["allocatable"];
    let is_controller =
        labels.as_object().is_some_and(|labels| labels.keys().any(|key| key.ends_with("/control-plane")));
    Ok(Node {
        name: text(&node["metadata"]["name"]),
        arch: text(&labels["kubernetes.io/arch"]),
        is_worker: !is_controller,
        cpu_millis: quantity(&text(&has["cpu"]), 1000)?,
        memory_bytes: quantity(&text(&has["memory"]), 1)?,
    })
}

fn pod(pod: &Value) -> Result<Pod> {
    let requests = |resource: &str, scale: u64| -> Result<u64> {
        let of = |containers: &Value| -> Result<Vec<u64>> {
            let asked = containers.as_array().into_iter().flatten();
            asked.map(|one| quantity(&text(&one["resources"]["requests"][resource]), scale)).collect()
        };
        // Init containers run one after the other, before the others: https://kubernetes.io/docs/concepts/workloads/pods/init-containers/
        let first = of(&pod["spec"]["initContainers"])?.into_iter().max().unwrap_or(0);
        Ok(of(&pod["spec"]["containers"])?.into_iter().sum::<u64>().max(first))
    };
    let owners = pod["metadata"]["ownerReferences"].as_array().cloned().unwrap_or_default();
    Ok(Pod {
        is_on_each_node: owners.iter().any(|owner| owner["kind"] == "DaemonSet"),
        node: text(&pod["spec"]["nodeName"]),
        arch: required_arch(&pod["spec"]),
        cpu_millis: requests("cpu", 1000)?,
        memory_bytes: requests("memory", 1)?,
    })
}

fn required_arch(spec: &Value) -> Option<String> {
    let selected = spec["nodeSelector"]["kubernetes.io/arch"].as_str().map(str::to_owned);
    let terms =
        &spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"];
    let expressions = terms.as_array().into_iter().flatten().flat_map(|term| term["matchExpressions"].as_array());
    let by_arch = expressions.flatten().find(|one| one["key"] == "kubernetes.io/arch" && one["operator"] == "In");
    let only = by_arch.and_then(|one| match one["values"].as_array()?.as_slice() {
        [only] => only.as_str().map(str::to_owned),
        _ => None,
    });
    selected.or(only)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// `250m`, `2`, `512Mi`, `1Gi` in units of 1/`scale`; nothing asked is 0.
fn quantity(text: &str, scale: u64) -> Result<u64> {
    let (number, factor) = match text.find(|c: char| !c.is_ascii_digit()).map(|at| text.split_at(at)) {
        None if text.is_empty() => return Ok(0),
        None => (text, scale),
        Some((number, "m")) => (number, scale / 1000),
        Some((number, "Ki")) => (number, scale << 10),
        Some((number, "Mi")) => (number, scale << 20),
        Some((number, "Gi")) => (number, scale << 30),
        Some(_) => bail!("`{text}` is no quantity that this test knows"),
    };
    Ok(number.parse::<u64>()? * factor)
}

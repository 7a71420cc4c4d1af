//! Whether a service that is rolled out does what it is there for: endpoints, placement, and the probes that its
//! `service.yml` names. Probes go through the API server (port-forward and exec, as kubectl does), so they work from
//! anywhere the API is reached, network policies or not.

mod exec;
mod http;
mod target;
mod tcp;

use crate::cluster::is_simulated;
use crate::{Cluster, Error, Release, service};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What is asked of the running service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// A GET on a Service's port answers with the status.
    Http {
        /// Service.
        service: String,
        /// The Service's port.
        port: u16,
        /// Path, with its query.
        path: String,
        /// The status expected.
        status: u16,
    },
    /// A Service's port takes connections.
    Tcp {
        /// Service.
        service: String,
        /// The Service's port.
        port: u16,
    },
    /// A command in a pod of a workload ends with 0.
    Exec {
        /// `statefulset/postgres` or a Service's name.
        workload: String,
        /// The command, not through a shell.
        command: Vec<String>,
    },
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { service, port, path, status } => write!(f, "http {service}:{port}{path} answers {status}"),
            Self::Tcp { service, port } => write!(f, "tcp {service}:{port} takes connections"),
            Self::Exec { workload, command } => write!(f, "exec in {workload}: {}", command.join(" ")),
        }
    }
}

/// One thing checked, and how it came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// What was checked.
    pub check: String,
    /// How it came out.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// How a check came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Passed {
        /// What was seen.
        seen: String,
    },
    /// Not as it should be.
    Failed {
        /// What was seen instead.
        seen: String,
    },
    /// It could not be asked here.
    NotRun {
        /// Why.
        reason: String,
    },
}

impl Verdict {
    /// Whether it speaks against the service.
    pub fn is_failed(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }
}

/// How long a probe is tried before it counts as failed; a fresh pod is ready before its Service's rules are on every node.
const PROBE_DEADLINE: Duration = Duration::from_secs(20);

/// How long between two tries.
const PROBE_INTERVAL: Duration = Duration::from_millis(500);

/// What of a service is to be verified.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The architectures that its images exist for; empty when any.
    pub architectures: Vec<String>,
    /// Its probes.
    pub probes: Vec<Probe>,
}

/// Runs every check of a release; a check that fails is a verdict, an `Err` is an API that does not answer.
pub async fn verify(cluster: &Cluster, release: &Release, plan: &Plan) -> Result<Vec<Check>, Error> {
    let nodes = nodes_by_name(cluster).await?;
    let mut checks = placement(cluster, release, plan, &nodes).await?;
    for name in release.services()? {
        let ready = service::ready_endpoints(cluster, &release.namespace, &name).await?;
        let verdict = match ready {
            0 => Verdict::Failed { seen: "no ready endpoint: its selector matches no ready pod".to_owned() },
            _ => Verdict::Passed { seen: format!("{ready} ready") },
        };
        checks.push(Check { check: format!("service {name} has endpoints"), verdict });
    }
    // The sandbox leaves webhooks out; a real API server called them when the release's objects were made.
    if nodes.values().all(is_simulated) {
        let not_run = |name| Check {
            check: format!("webhook {name} answers"),
            verdict: Verdict::NotRun { reason: "simulated".to_owned() },
        };
        checks.extend(release.webhooks()?.into_iter().map(not_run));
    }
    for probe in &plan.probes {
        let verdict = run_probe(cluster, release, probe, &nodes).await?;
        checks.push(Check { check: probe.to_string(), verdict });
    }
    Ok(checks)
}

async fn nodes_by_name(cluster: &Cluster) -> Result<BTreeMap<String, Node>, Error> {
    let nodes: Vec<Node> = cluster.list(Api::all(cluster.client.clone()), "nodes", "").await?;
    Ok(nodes.into_iter().map(|node| (node.metadata.name.clone().unwrap_or_default(), node)).collect())
}

/// Every pod is on a node of an architecture that the images exist for.
async fn placement(
    cluster: &Cluster,
    release: &Release,
    plan: &Plan,
    nodes: &BTreeMap<String, Node>,
) -> Result<Vec<Check>, Error> {
    let mut checks = Vec::new();
    for workload in release.workloads()? {
        let (_, places) = cluster.progress(&workload).await?;
        let architecture = |node: &String| {
            let labels = nodes.get(node)?.metadata.labels.as_ref()?;
            labels.get("kubernetes.io/arch").cloned()
        };
        let mut seen = Vec::new();
        let mut wrong = false;
        for place in places.iter().filter(|place| place.node.is_some()) {
            let node = place.node.clone().unwrap_or_default();
            let architecture = architecture(&node).unwrap_or_else(|| "unknown".to_owned());
            wrong |= !plan.architectures.is_empty() && !plan.architectures.contains(&architecture);
            seen.push(format!("{node} ({architecture})"));
        }
        seen.sort();
        seen.dedup();
        let text = if seen.is_empty() { "no pod runs".to_owned() } else { seen.join(", ") };
        let verdict = if wrong { Verdict::Failed { seen: text } } else { Verdict::Passed { seen: text } };
        checks.push(Check { check: format!("{workload} runs where its images exist"), verdict });
    }
    Ok(checks)
}

async fn run_probe(
    cluster: &Cluster,
    release: &Release,
    probe: &Probe,
    nodes: &BTreeMap<String, Node>,
) -> Result<Verdict, Error> {
    let Some(pod) = target::ready_pod(cluster, release, probe).await? else {
        return Ok(Verdict::Failed { seen: "no ready pod to ask".to_owned() });
    };
    if runs_on_simulated_node(&pod, nodes) {
        return Ok(Verdict::NotRun { reason: "simulated".to_owned() });
    }
    let began = std::time::Instant::now();
    loop {
        let asked = match probe {
            Probe::Http { path, status, .. } => http::ask(cluster, &pod, path, *status).await,
            Probe::Tcp { .. } => tcp::ask(cluster, &pod).await,
            Probe::Exec { command, .. } => exec::ask(cluster, &pod, command).await,
        };
        match asked {
            Ok(seen) => return Ok(Verdict::Passed { seen }),
            Err(seen) if began.elapsed() >= PROBE_DEADLINE => return Ok(Verdict::Failed { seen }),
            Err(_) => tokio::time::sleep(PROBE_INTERVAL).await,
        }
    }
}

fn runs_on_simulated_node(pod: &target::Target, nodes: &BTreeMap<String, Node>) -> bool {
    let node = node_of(&pod.pod).and_then(|name| nodes.get(name));
    node.is_some_and(is_simulated)
}

fn node_of(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_read_as_what_they_promise() {
        let probe = Probe::Http { service: "ollama".into(), port: 11434, path: "/api/tags".into(), status: 200 };
        assert_eq!(probe.to_string(), "http ollama:11434/api/tags answers 200");
    }

    #[test]
    fn a_verdict_is_flat_in_json() {
        let check = Check { check: "c".into(), verdict: Verdict::NotRun { reason: "simulated".into() } };
        assert_eq!(serde_json::to_string(&check).unwrap(), r#"{"check":"c","verdict":"not_run","reason":"simulated"}"#);
    }
}

//! How a sandbox is doing.

use crate::directory::Directory;
use crate::health::Health;
use crate::state::State;
use crate::{Component, Error, Role, api, nodes};
use camino::Utf8PathBuf;
use futures::future::join_all;
use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt;
use serde::Serialize;

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Every component is ready, and the nodes can be listed.
    pub up: bool,
    /// Where its files are.
    pub directory: Utf8PathBuf,
    /// The administrator's kubeconfig, if it exists.
    pub kubeconfig: Option<Utf8PathBuf>,
    /// Address of the API server.
    pub server: Option<String>,
    /// Version of Kubernetes, such as `v1.35.4`.
    pub version: Option<String>,
    /// Its processes.
    pub components: Vec<ComponentStatus>,
    /// Its nodes, real ones included.
    pub nodes: Vec<NodeStatus>,
    /// Why they could not be listed.
    pub nodes_unknown: Option<String>,
}

/// One process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ComponentStatus {
    /// Which one.
    pub component: Component,
    /// The process that was started last.
    pub pid: Option<i32>,
    /// Whether that runs.
    pub alive: bool,
    /// Whether it says that it is ready.
    pub ready: bool,
    /// Why it is not ready.
    pub reason: Option<String>,
    /// Its log file.
    pub log: Utf8PathBuf,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeStatus {
    /// Its name.
    pub name: String,
    /// What it is in the cluster.
    pub role: Role,
    /// `amd64` or `arm64`.
    pub arch: String,
    /// Cores, as Kubernetes writes them.
    pub cpu: String,
    /// Memory, as Kubernetes writes it.
    pub memory: String,
    /// Its address in the cluster.
    pub address: Option<String>,
    /// Whether it takes pods.
    pub ready: bool,
    /// Whether kwok plays it.
    pub simulated: bool,
}

pub(crate) async fn status(directory: &Directory) -> Result<Status, Error> {
    let state = State::load(directory)?;
    let components = join_all(Component::ALL.map(|it| component(it, directory, state.as_ref()))).await;
    let mut status = Status {
        up: components.iter().all(|it| it.ready),
        directory: directory.path(),
        kubeconfig: Some(directory.kubeconfig()).filter(|path| path.exists()),
        server: state.as_ref().map(|state| format!("https://127.0.0.1:{}", state.ports.kube_apiserver)),
        version: None,
        components,
        nodes: Vec::new(),
        nodes_unknown: None,
    };
    let answers = status.components.iter().any(|it| it.component == Component::KubeApiserver && it.ready);
    if answers {
        let filled = tokio::time::timeout(api::REQUEST_TIMEOUT, status.fill(directory)).await;
        let silence = || Err(format!("the API server does not answer within {} s", api::REQUEST_TIMEOUT.as_secs()));
        status.nodes_unknown = filled.map_or_else(|_| silence(), |it| it.map_err(|error| error.to_string())).err();
        status.up &= status.nodes_unknown.is_none();
    }
    Ok(status)
}

impl Status {
    /// What the API server knows.
    async fn fill(&mut self, directory: &Directory) -> Result<(), Error> {
        let client = api::client(&directory.kubeconfig()).await?;
        let version = client.apiserver_version().await.map_err(Error::api("asking for the version"))?;
        self.version = Some(version.git_version);
        self.nodes = nodes::list(&client).await?.iter().map(node).collect();
        Ok(())
    }
}

async fn component(component: Component, directory: &Directory, state: Option<&State>) -> ComponentStatus {
    let recorded = state.and_then(|state| state.processes.get(&component));
    let alive = recorded.is_some_and(crate::process::Identity::is_alive);
    let health = match (state, recorded) {
        (Some(state), Some(_)) if alive => match Health::of(component, directory, state).await {
            Ok(health) => health.check().await,
            Err(error) => Err(error.to_string()),
        },
        (_, Some(_)) => Err("it ended".to_owned()),
        _ => Err("not started".to_owned()),
    };
    ComponentStatus {
        component,
        pid: recorded.map(|process| process.pid),
        alive,
        ready: health.is_ok(),
        reason: health.err(),
        log: directory.log(component),
    }
}

fn node(node: &Node) -> NodeStatus {
    let status = node.status.clone().unwrap_or_default();
    let capacity = status.capacity.unwrap_or_default();
    let amount = |name: &str| capacity.get(name).map(|quantity| quantity.0.clone()).unwrap_or_default();
    let addresses = status.addresses.unwrap_or_default();
    let is_controller = node.labels().contains_key("node-role.kubernetes.io/control-plane");
    NodeStatus {
        name: node.name_any(),
        role: if is_controller { Role::Controller } else { Role::Worker },
        arch: node.labels().get("kubernetes.io/arch").cloned().unwrap_or_default(),
        cpu: amount("cpu"),
        memory: amount("memory"),
        address: addresses.into_iter().find(|it| it.type_ == "InternalIP").map(|it| it.address),
        ready: nodes::takes_pods(node),
        simulated: node.annotations().contains_key(nodes::SIMULATED),
    }
}

//! The way to the target: its Kubernetes API, and the controller on which helm runs.

use crate::context::{Context, environment};
use crate::exit::{Failure, Result, boxed};
use crate::output::DeployEvent;
use crate::target::Target;
use diagnostic::{Exit, Position};
use indexmap::IndexMap;
use inventory::Inventory;
use kubernetes::Cluster;
use remote::{Become, Command, Forward, Machine, Transport};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use yaml::Node;

/// A target that is reached.
pub(crate) struct Connection {
    /// The Kubernetes API.
    pub(crate) cluster: Cluster,
    /// Path of the kubeconfig on the controller.
    pub(crate) kubeconfig: String,
    /// Helm on the controller.
    pub(crate) helm: String,
    /// What the target itself tells playbooks about it.
    pub(crate) variables: IndexMap<String, Node>,
    /// The machine on which helm runs.
    pub(crate) controller: Machine,
    elevation: Option<Become>,
    /// Keeps the way to the API open.
    _forward: Option<Forward>,
}

impl Connection {
    /// Names the chosen target, and what is deployed to it (`source`) if anything is, then reaches it. `ask_become_pass`:
    /// whether sudo on the controller wants a password.
    pub(crate) async fn open(
        context: &Context,
        inventory: &Arc<Inventory>,
        ask_become_pass: bool,
        source: Option<String>,
    ) -> Result<Self> {
        let target = context.target()?;
        let name = |description| context.output.event(DeployEvent::TargetChosen { target, description, source });
        match target {
            Target::Sandbox => sandbox(context, name).await,
            Target::Boards => boards(context, inventory, ask_become_pass, name).await,
        }
    }

    /// Runs a command on the controller as the user that may read the kubeconfig.
    pub(crate) async fn on_controller(&self, command: &Command) -> Result<remote::Output> {
        self.controller.run(command, self.elevation.as_ref()).await.map_err(boxed)
    }

    /// Ends the shells and the forward.
    pub(crate) async fn close(self) {
        self.controller.close().await;
    }
}

/// How long the API may take for a few requests: one whose etcd hangs never answers.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the API answers, if it does so in time.
pub(crate) async fn answered<T>(target: Target, requests: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, requests).await.unwrap_or_else(|_| {
        let failure = Failure::new(
            Exit::Unreachable,
            format!("the Kubernetes API does not answer within {} s", PATIENCE.as_secs()),
        );
        let hint = match target {
            Target::Sandbox => "run `cluster sandbox status` to see what is missing of it",
            Target::Boards => "look at `systemctl status k3s` on the controller",
        };
        Err(failure.hinted(hint).into())
    })
}

async fn sandbox(context: &Context, name: impl FnOnce(String)) -> Result<Connection> {
    let sandbox = context.running_sandbox()?;
    let path = sandbox.kubeconfig_path();
    let cluster = Cluster::from_kubeconfig_file(path.as_str()).await.map_err(boxed)?;
    let facts = async { Ok((cluster.nodes().await.map_err(boxed)?.len(), cluster.version().await.map_err(boxed)?)) };
    let (nodes, version) = answered(Target::Sandbox, facts).await?;
    let shown = crate::config::shown(&path);
    name(format!("{nodes} simulated nodes, Kubernetes {version}, {shown}; over the local connection, without sudo"));
    let mut variables = playbook::extra_vars([format!("@{}", sandbox.vars_path()).as_str()]).map_err(boxed)?;
    // It may have been built after the sandbox came up.
    if let Some(kubectl) = sandbox.tools().find("kubectl") {
        variables.insert("kubectl".to_owned(), Node::from_data(&json!(kubectl), Position::new("<sandbox>", 1, 1)));
    }
    let helm = variables.get("helm").and_then(Node::as_str).unwrap_or("helm").to_owned();
    let controller = Machine::connect("localhost", Transport::Local).await.map_err(boxed)?;
    let kubeconfig = path.into_string();
    Ok(Connection { cluster, kubeconfig, helm, variables, controller, elevation: None, _forward: None })
}

async fn boards(
    context: &Context,
    inventory: &Arc<Inventory>,
    ask_become_pass: bool,
    name: impl FnOnce(String),
) -> Result<Connection> {
    let config = context.config()?;
    let host = controller(inventory, &config.controller)?;
    let mut options = context.playbook_options(ask_become_pass)?;
    // Reading the kubeconfig and helm need root, as the playbooks' tasks do.
    options.connection.r#become = true;
    let way = playbook::way_to(inventory, &host, &options).await.map_err(boxed)?;
    name(format!("controller {host} ({})", described(&way.transport)));
    let controller = Machine::connect(&host, way.transport.clone()).await.map_err(boxed)?;
    let kubeconfig = config.kubeconfig.to_string();
    let (cluster, forward) = api(&controller, way.r#become.as_ref(), &kubeconfig).await?;
    Ok(Connection {
        cluster,
        kubeconfig,
        helm: config.helm.clone(),
        variables: IndexMap::new(),
        controller,
        elevation: way.r#become,
        _forward: forward,
    })
}

/// The one host that the configuration calls the controller.
fn controller(inventory: &Inventory, pattern: &str) -> Result<String> {
    let hosts = inventory.require(pattern, None).map_err(boxed)?;
    match hosts.as_slice() {
        [host] => Ok(host.to_string()),
        hosts => {
            let message = format!("`controller = \"{pattern}\"` names {} hosts; it takes one", hosts.len());
            Err(Failure::usage(message).hinted("name a host of the inventory in `cluster.toml`").into())
        }
    }
}

/// The API: with `KUBECONFIG` if set, else with the controller's kubeconfig, read into memory, through the connection.
async fn api(controller: &Machine, elevation: Option<&Become>, path: &str) -> Result<(Cluster, Option<Forward>)> {
    if let Some(kubeconfig) = environment("KUBECONFIG") {
        return Ok((Cluster::from_kubeconfig_file(&kubeconfig).await.map_err(boxed)?, None));
    }
    let script = "exec cat -- \"$1\"".to_owned();
    let read = Command { script, arguments: vec![path.to_owned()], ..Command::default() };
    let output = controller.run(&read, elevation).await.map_err(boxed)?;
    if output.status != 0 {
        let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let message = format!("the kubeconfig on {} can not be read: {reason}", controller.name());
        let hint = "install K3s there, or say in `cluster.toml` where its kubeconfig is (`kubeconfig = …`)";
        return Err(Failure::new(Exit::Failed, message).hinted(hint).into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let (host, port) = kubernetes::server_address(&text).map_err(boxed)?;
    let forward = controller.forward(&host, port).await.map_err(boxed)?;
    let server = format!("https://{}:{}", forward.host(), forward.port());
    let cluster = Cluster::from_kubeconfig_text(path, &text, Some(&server)).await.map_err(boxed)?;
    Ok((cluster, Some(forward)))
}

/// `pi@192.0.2.10`, as far as it is known here.
fn described(transport: &Transport) -> String {
    match transport {
        Transport::Local => "this machine".to_owned(),
        Transport::Ssh(ssh) => match &ssh.user {
            Some(user) => format!("{user}@{}", ssh.host),
            None => ssh.host.clone(),
        },
    }
}

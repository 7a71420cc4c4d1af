//! Where a deployment goes, and what the playbooks are told about it.

use super::args::{Args, SourceKind};
use super::play::Prepared;
use super::source;
use crate::connection::Connection;
use crate::context::{Context, environment};
use crate::exit::{Failure, Result};
use crate::target::Target;
use camino::Utf8Path;
use diagnostic::Position;
use indexmap::IndexMap;
use inventory::Inventory;
use serde_json::{Value, json};
use std::sync::Arc;
use yaml::Node;

/// A target that is reached, and the variables for the playbooks.
pub(super) struct Destination {
    pub(super) connection: Connection,
    /// What the playbooks are told, over everything that their files say.
    pub(super) variables: IndexMap<String, Node>,
    /// The environment of the playbooks' tasks there.
    pub(super) environment: Vec<(String, String)>,
    /// Whether the playbooks clone the sources on the controller.
    pub(super) clones: bool,
    /// Whether nothing is changed there.
    check: bool,
}

impl Destination {
    /// Whether this many services share one clone: the first brings it, so that all are of one version and none clones while another
    /// reads. In check mode nobody brings it.
    pub(super) fn is_shared_clone(&self, services: usize) -> bool {
        self.clones && !self.check && services > 1
    }
}

/// Names the target, says what is deployed, and connects.
pub(super) async fn reach(
    context: &Context,
    args: &Args,
    inventory: &Arc<Inventory>,
    plays: &Prepared,
) -> Result<Destination> {
    let target = context.target()?;
    let (kind, source) = source::choose(context, target, args.source).await?;
    let connection = Connection::open(context, inventory, args.ask_become_pass, Some(source)).await?;
    let mut variables = connection.variables.clone();
    if target == Target::Sandbox && !variables.contains_key("kubectl") {
        require_no_kubectl(plays)?;
    }
    if target == Target::Boards {
        variables.extend(told_to_boards(context, &connection)?);
        if kind == SourceKind::Worktree {
            let folder = source::send(&connection.controller, &context.root()?).await?;
            variables.extend([authored("source", json!("worktree")), authored("source_dir", json!(folder))]);
        }
    }
    let clones = target == Target::Boards && kind == SourceKind::Git;
    let environment = if target == Target::Sandbox { home(&context.root()?)? } else { Vec::new() };
    Ok(Destination { connection, variables, environment, clones, check: args.check })
}

/// Without a home folder Helm and kubectl would put their caches into the current one: here they get a home beside the sandbox.
fn home(root: &Utf8Path) -> Result<Vec<(String, String)>> {
    if environment("HOME").is_some() {
        return Ok(Vec::new());
    }
    Ok(vec![("HOME".to_owned(), crate::config::absolute(&root.join(".cluster/home"))?.into_string())])
}

/// The demo builds what most services need; those with encrypted configuration or definitions of resources apply these with kubectl.
fn require_no_kubectl(plays: &Prepared) -> Result<()> {
    let Some(service) = plays.needs("kubectl") else { return Ok(()) };
    let message = format!("service `{service}` needs kubectl, which is not built yet");
    Err(Failure::usage(message).hinted("run `scripts/tools.sh kubectl`").into())
}

/// What `cluster.toml` says; the playbooks have the guide's values where it is silent.
fn told_to_boards(context: &Context, connection: &Connection) -> Result<Vec<(String, Node)>> {
    let source = &context.config()?.source;
    let destination = source.destination.as_deref().map(Utf8Path::as_str);
    let told = [
        ("kubeconfig", Some(connection.kubeconfig.as_str())),
        ("helm", Some(connection.helm.as_str())),
        ("kubectl", Some(context.config()?.kubectl.as_str())),
        ("repository", source.repository.as_deref()),
        ("version", source.version.as_deref()),
        ("destination", destination),
    ];
    Ok(told.into_iter().filter_map(|(name, value)| Some(authored(name, json!(value?)))).collect())
}

/// A variable as if someone had written it into `cluster.toml`.
pub(super) fn authored(name: &str, value: Value) -> (String, Node) {
    (name.to_owned(), Node::from_data(&value, Position::new("<cluster deploy>", 1, 1)))
}

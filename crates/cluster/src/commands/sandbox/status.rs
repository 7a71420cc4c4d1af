//! `cluster sandbox status`

use crate::context::Context;
use crate::exit::{Code, Result, boxed};
use crate::output::table;
use diagnostic::Exit;
use sandbox::{Role, Status};

/// Show the sandbox's components and nodes. The exit code is 1 when it is not up.
///
/// Examples:
///   cluster sandbox status
///   cluster sandbox status --output json
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args, context: &Context) -> Result<Code> {
    let status = context.runtime()?.block_on(context.sandbox()?.status()).map_err(boxed)?;
    if context.output.is_json() {
        context.output.json(&status);
    } else {
        context.output.data(&described(&status));
    }
    if !status.up {
        context.output.note("hint: run `cluster sandbox up`");
    }
    Ok(if status.up { Code::DONE } else { Code::from(Exit::Failed) })
}

fn described(status: &Status) -> String {
    let dash = || "-".to_owned();
    let state = if status.up { "up" } else { "not up" };
    let mut text = format!("sandbox {state} in {}", crate::config::shown(&status.directory));
    if let (Some(server), Some(version)) = (&status.server, &status.version) {
        text.push_str(&format!(": Kubernetes {version} at {server}"));
    }
    let components = status.components.iter().map(|one| {
        let state = match (&one.reason, one.ready) {
            (_, true) => "ready".to_owned(),
            (Some(reason), _) => reason.clone(),
            (None, _) => "not ready".to_owned(),
        };
        vec![one.component.to_string(), one.pid.map_or_else(dash, |pid| pid.to_string()), state]
    });
    text.push_str(&format!("\n\n{}", table(&["component", "pid", "state"], components)));
    if let Some(reason) = &status.nodes_unknown {
        text.push_str(&format!("\n\nnodes: unknown: {reason}"));
    }
    if !status.nodes.is_empty() {
        let nodes = status.nodes.iter().map(|node| {
            let ready = if node.ready { "ready" } else { "not ready" };
            let kind = if node.simulated { "simulated" } else { "real" };
            let address = node.address.clone().unwrap_or_else(dash);
            let role = match node.role {
                Role::Controller => "controller",
                Role::Worker => "worker",
            };
            let [name, arch, cpu, memory] = [&node.name, &node.arch, &node.cpu, &node.memory].map(String::as_str);
            [name, ready, role, arch, cpu, memory, &address, kind].map(str::to_owned).to_vec()
        });
        let header = ["node", "state", "role", "arch", "cpu", "memory", "address", "kind"];
        text.push_str(&format!("\n\n{}", table(&header, nodes)));
    }
    text
}

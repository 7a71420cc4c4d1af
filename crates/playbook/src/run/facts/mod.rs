//! Facts: what a machine tells about itself, under Ansible's names. They are gathered when a template asks for one, since
//! most playbooks never do, by a shell script instead of Ansible's `setup` module.

mod names;
mod parse;

pub(crate) use names::is_fact;
pub(crate) use parse::parse;

/// What asks the machine.
pub(crate) const SCRIPT: &str = include_str!("facts.sh");

use super::context::TaskContext;
use super::fault::Fault;
use remote::Command;
use serde_json::{Map, Value};

/// Asks the machine of a task for its facts.
pub(crate) async fn ask(context: &TaskContext<'_>) -> Result<Map<String, Value>, Fault> {
    let command = Command { script: SCRIPT.to_owned(), ..Command::default() };
    let output = context.execute(command, false).await?;
    if output.status != 0 {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(Fault::message(format!("gathering facts failed: {}", why.trim())));
    }
    Ok(parse(&String::from_utf8_lossy(&output.stdout)))
}

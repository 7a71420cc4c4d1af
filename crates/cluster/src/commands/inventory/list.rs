//! `cluster inventory list`

use crate::context::Context;
use crate::exit::{Code, Result, boxed};

/// Show all hosts, groups and variables as JSON, in the form of `ansible-inventory --list`.
///
/// Examples:
///   cluster inventory list
///   cluster inventory list -i other.ini
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args, context: &Context) -> Result<Code> {
    let list = context.inventory()?.to_list(None).map_err(boxed)?;
    if context.output.is_json() {
        context.output.json(&list);
    } else {
        context.output.data(&format!("{list:#}"));
    }
    Ok(Code::DONE)
}

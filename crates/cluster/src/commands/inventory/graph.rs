//! `cluster inventory graph`

use crate::context::Context;
use crate::exit::{Code, Result, boxed};

/// Show groups and hosts as a tree, in the form of `ansible-inventory --graph`.
///
/// Examples:
///   cluster inventory graph
///   cluster inventory graph workers
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The group at the root
    #[arg(default_value = "all", value_name = "GROUP")]
    group: String,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    let graph = context.inventory()?.to_graph(Some(&args.group)).map_err(boxed)?;
    if context.output.is_json() {
        context.output.json(&serde_json::json!({"group": args.group, "graph": graph}));
    } else {
        context.output.data(&graph);
    }
    Ok(Code::DONE)
}

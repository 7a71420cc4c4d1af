//! `cluster catalog list`

use crate::context::Context;
use crate::exit::{Code, Result, boxed};
use crate::output::table;

/// List the services in the order in which they are deployed.
///
/// Examples:
///   cluster catalog list
///   cluster catalog list --output json
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args, context: &Context) -> Result<Code> {
    let catalog = context.catalog()?;
    let names: Vec<_> = catalog.iter().map(|service| service.name.as_str()).collect();
    let services: Vec<_> = catalog.order(&names).map_err(boxed)?.into_iter().flatten().collect();
    if context.output.is_json() {
        services.iter().for_each(|service| context.output.json(service));
        return Ok(Code::DONE);
    }
    let rows = services.iter().map(|service| {
        let architectures: Vec<_> = service.architectures.iter().map(ToString::to_string).collect();
        let requires: Vec<_> = service.requires.iter().map(ToString::to_string).collect();
        vec![
            service.name.to_string(),
            service.phase.to_string(),
            service.category.clone(),
            architectures.join(","),
            if requires.is_empty() { "-".to_owned() } else { requires.join(",") },
            service.summary.clone(),
        ]
    });
    context.output.data(&table(&["name", "phase", "category", "architectures", "requires", "summary"], rows));
    Ok(Code::DONE)
}

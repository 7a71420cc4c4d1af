//! `cluster catalog show`

use crate::config::shown;
use crate::context::Context;
use crate::exit::{Code, Result, boxed};
use catalog::{Catalog, Probe, Service};
use std::fmt::Write;

/// Show everything that is known of a service.
///
/// Examples:
///   cluster catalog show ollama
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The service
    #[arg(value_name = "SERVICE")]
    service: String,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    let catalog = context.catalog()?;
    let service = catalog.find(&args.service).map_err(boxed)?;
    if context.output.is_json() {
        context.output.json(service);
    } else {
        context.output.data(&described(&catalog, service));
    }
    Ok(Code::DONE)
}

fn described(catalog: &Catalog, service: &Service) -> String {
    let list = |items: Vec<String>| if items.is_empty() { "-".to_owned() } else { items.join(", ") };
    let chart =
        catalog.chart(service).map_or_else(|| "-".to_owned(), |chart| format!("{} {}", chart.name, chart.version));
    let lines = [
        ("Name", service.name.to_string()),
        ("Summary", service.summary.clone()),
        ("Category", service.category.clone()),
        ("Phase", service.phase.to_string()),
        ("Requires", list(service.requires.iter().map(ToString::to_string).collect())),
        ("Architectures", list(service.architectures.iter().map(ToString::to_string).collect())),
        ("Chart", format!("{chart} ({})", shown(&service.chart_folder))),
        ("Playbook", shown(&service.playbook()).into_string()),
        ("Values", shown(&service.values_file()).into_string()),
        ("Release", format!("{} in namespace {}", service.release_name(), service.namespace)),
        ("Vault", if service.vault { shown(&service.encrypted_config()).into_string() } else { "no".to_owned() }),
        ("Verified by", list(service.verify.iter().map(probe).collect())),
    ];
    let mut text = String::new();
    for (title, value) in lines {
        let _infallible = writeln!(text, "{:<15} {value}", format!("{title}:"));
    }
    if let Some(notes) = &service.notes {
        let _infallible = write!(text, "\n{}", notes.trim_end());
    }
    text.trim_end().to_owned()
}

fn probe(probe: &Probe) -> String {
    match probe {
        Probe::Http { service, port, path, status } => format!("GET {service}:{port}{path} answers {status}"),
        Probe::Tcp { service, port } => format!("{service}:{port} takes connections"),
        Probe::Exec(execution) => format!("`{}` in {}", execution.command.join(" "), execution.workload),
    }
}

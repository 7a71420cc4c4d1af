//! `cluster catalog graph`

use crate::context::Context;
use crate::exit::{Code, Result, boxed};
use catalog::{Catalog, Phase, Service};
use clap::ValueEnum;
use serde::Serialize;
use std::fmt::Write;

/// Draw what requires what, phase by phase.
///
/// Examples:
///   cluster catalog graph
///   cluster catalog graph collector logconsumer
///   cluster catalog graph --format dot | dot -Tsvg > services.svg
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Only these services and what they require; by default all
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,

    /// How it is drawn
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// How the graph is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A list, what a service requires indented below it.
    Text,
    /// A flowchart for Markdown that knows Mermaid.
    Mermaid,
    /// For Graphviz.
    Dot,
}

/// A service and what it requires, as a line of JSON.
#[derive(Serialize)]
struct Edges<'a> {
    service: &'a str,
    phase: Phase,
    requires: Vec<&'a str>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    let catalog = context.catalog()?;
    let services = chosen(&catalog, &args.services)?;
    if context.output.is_json() {
        services.iter().for_each(|service| context.output.json(&edges(service)));
        return Ok(Code::DONE);
    }
    let drawn = match args.format {
        Format::Text => text(&catalog, &services),
        Format::Mermaid => mermaid(&services),
        Format::Dot => dot(&services),
    };
    context.output.data(drawn.trim_end());
    Ok(Code::DONE)
}

/// In the order of a deployment.
fn chosen<'c>(catalog: &'c Catalog, names: &[String]) -> Result<Vec<&'c Service>> {
    let wanted: Vec<_> = match names {
        [] => catalog.iter().collect(),
        names => catalog.with_requirements(names).map_err(boxed)?,
    };
    let names: Vec<_> = wanted.iter().map(|service| service.name.as_str()).collect();
    Ok(catalog.order(&names).map_err(boxed)?.into_iter().flatten().collect())
}

fn edges(service: &Service) -> Edges<'_> {
    let requires = service.requires.iter().map(|name| name.as_str()).collect();
    Edges { service: service.name.as_str(), phase: service.phase, requires }
}

/// The services of a phase, for each phase that has any.
fn phases<'s>(services: &[&'s Service]) -> impl Iterator<Item = (Phase, Vec<&'s Service>)> {
    let of = |phase| services.iter().copied().filter(move |service| service.phase == phase).collect::<Vec<_>>();
    let phases: Vec<_> = Phase::ALL.into_iter().map(|phase| (phase, of(phase))).collect();
    phases.into_iter().filter(|(_, services)| !services.is_empty())
}

fn text(catalog: &Catalog, services: &[&Service]) -> String {
    let mut text = String::new();
    for (phase, services) in phases(services) {
        let _infallible = writeln!(text, "{phase}");
        services.iter().for_each(|service| branch(catalog, service, 1, &mut text));
    }
    text
}

fn branch(catalog: &Catalog, service: &Service, depth: usize, text: &mut String) {
    let _infallible = writeln!(text, "{}{}", "  ".repeat(depth), service.name);
    for required in service.requires.iter().filter_map(|name| catalog.get(name.as_str())) {
        branch(catalog, required, depth + 1, text);
    }
}

/// Arrows lead from what is required to what requires it: the way of a deployment.
fn arrows<'s>(services: &[&'s Service]) -> impl Iterator<Item = (&'s str, &'s str)> {
    let of = |service: &&'s Service| {
        let service: &'s Service = service;
        service.requires.iter().map(|required| (required.as_str(), service.name.as_str()))
    };
    services.iter().flat_map(of).collect::<Vec<_>>().into_iter()
}

fn mermaid(services: &[&Service]) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for (phase, services) in phases(services) {
        let _infallible = writeln!(text, "  subgraph {phase}");
        for service in services {
            let _infallible = writeln!(text, "    {}[{}]", identifier(service.name.as_str()), service.name);
        }
        text.push_str("  end\n");
    }
    for (from, to) in arrows(services) {
        let _infallible = writeln!(text, "  {} --> {}", identifier(from), identifier(to));
    }
    text
}

/// `end` is a word of Mermaid's own, so every identifier has a prefix; hyphens and dots are none of its letters.
fn identifier(name: &str) -> String {
    format!("s_{}", name.replace(['-', '.'], "_"))
}

fn dot(services: &[&Service]) -> String {
    let mut text = "digraph services {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
    for (phase, services) in phases(services) {
        let _infallible = writeln!(text, "  subgraph cluster_{phase} {{\n    label=\"{phase}\";");
        for service in services {
            let _infallible = writeln!(text, "    \"{}\";", service.name);
        }
        text.push_str("  }\n");
    }
    for (from, to) in arrows(services) {
        let _infallible = writeln!(text, "  \"{from}\" -> \"{to}\";");
    }
    text.push_str("}\n");
    text
}

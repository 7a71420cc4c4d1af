//! The steps.

use super::args::Args;
use super::check::{Surroundings, check};
use super::files::{Plan, plan};
use super::wanted::Wanted;
use super::{ask, write};
use crate::context::Context;
use crate::exit::{Code, Result, boxed};
use catalog::lint::Images;
use serde::Serialize;

/// What was written, as a line of JSON.
#[derive(Serialize)]
struct Written<'a> {
    service: &'a str,
    written: bool,
    files: &'a [String],
    next: &'a [String],
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    let surroundings = Surroundings::read(context.root()?)?;
    let args = ask::complete(args, &surroundings, context)?;
    let wanted = check(&args, &surroundings).map_err(boxed)?;
    let plan = plan(&wanted, &surroundings)?;
    if !args.check {
        write::write(&plan, &wanted.name, &surroundings)?;
    }
    tell(&wanted, &plan, !args.check, context);
    Ok(Code::DONE)
}

fn tell(wanted: &Wanted, plan: &Plan, written: bool, context: &Context) {
    let output = &context.output;
    let (files, next) = (plan.paths(wanted.name.as_str()), next(wanted, context));
    if output.is_json() {
        output.json(&Written { service: wanted.name.as_str(), written, files: &files, next: &next });
        return;
    }
    output.note(if written { "Written:" } else { "check mode: nothing is written. It would be:" });
    output.data(&files.join("\n"));
    if let (Some(_), Some(server)) = (&plan.images, wanted.server()) {
        let architectures: Vec<_> = wanted.architectures.iter().map(ToString::to_string).collect();
        let (architectures, path) = (architectures.join(" and "), Images::PATH);
        let name = format!("{}:{}", server.image.repository, server.image.tag);
        output.note(&format!(
            "\nThat image {name} exists for {architectures} was not looked up: see its entry in {path}."
        ));
    }
    if wanted.server().is_none() {
        let path = Images::PATH;
        output.note(&format!(
            "\nThe images that the chart runs belong in {path}: once it is fetched, the lint names them."
        ));
    }
    if written {
        output.note(&format!("\nNext:\n  {}", next.join("\n  ")));
    }
}

/// The commands to go on with.
fn next(wanted: &Wanted, context: &Context) -> Vec<String> {
    let name = &wanted.name;
    let mut next = vec![format!("$EDITOR build/charts/{name}/values.yaml build/playbooks/{name}/values.yml")];
    if wanted.has_secrets() {
        next.push(context.command(&format!("vault create {name}")));
    }
    next.push(context.command(&format!("catalog lint {name}")));
    let deploy = context.command(&format!("deploy {name}"));
    next.push(if deploy.contains(" --target ") { deploy } else { format!("{deploy} --target sandbox") });
    next
}

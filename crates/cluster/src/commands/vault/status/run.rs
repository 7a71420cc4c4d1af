//! The command, and how it shows what it found.

use super::encrypted::Encrypted;
use super::survey::{self, Survey};
use crate::context::Context;
use crate::exit::{Code, Failure, Result};
use crate::output::table;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostic::{Exit, Mistake};
use serde_json::json;
use vault::scan::Finding;

/// List what is encrypted, and secrets that are not.
///
/// Encrypted files and values with their format, their vault id and the services that use them; OPENS says whether the vault password fits,
/// where one is given without a question. Services whose cfg.enc is still to be made. Plain text that looks like a secret: where it is none,
/// say so in a comment, `# not a secret: REASON`. What Git ignores is left out.
///
/// Ends with 1 when there are secrets in plain text.
///
/// Examples:
///   cluster vault status
///   cluster vault status mercure ansible/group_vars --vault-password-file ~/.vault-password
///   cluster vault status --output json
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Folders, files or services; none is the whole project
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    let survey = survey::make(&places(&args.paths, context)?, context)?;
    if context.output.is_json() {
        show_objects(&survey, context);
    } else {
        show_tables(&survey, context);
    }
    Ok(if survey.plain.is_empty() { Code::DONE } else { Exit::Failed.into() })
}

/// Where to look: a service's name means its folder.
fn places(paths: &[Utf8PathBuf], context: &Context) -> Result<Vec<Utf8PathBuf>> {
    if paths.is_empty() {
        return Ok(vec![context.root()?]);
    }
    let place = |path: &Utf8PathBuf| {
        let service = context.root().map(|root| root.join("build/playbooks").join(path)).ok();
        match service.filter(|folder| !path.exists() && folder.join("service.yml").is_file()) {
            Some(folder) => Ok(folder),
            None if path.exists() => Ok(path.clone()),
            None => Err(Failure::usage(format!("there is no file, folder or service `{path}`")).into()),
        }
    };
    paths.iter().map(place).collect()
}

fn show_objects(survey: &Survey, context: &Context) {
    for one in &survey.encrypted {
        context.output.json(&json!({
            "state": "encrypted", "file": one.file, "line": one.line, "name": one.name, "format": one.format,
            "id": one.label, "services": one.used_by, "opens": one.opens, "problem": one.problem,
        }));
    }
    for (service, path) in &survey.missing {
        let hint = creation(service);
        context.output.json(&json!({ "state": "missing", "file": path, "services": [service], "hint": hint }));
    }
    for finding in &survey.plain {
        let Finding { position, kind, what, hint } = finding;
        context.output.json(&json!({
            "state": "plaintext", "file": &*position.file, "line": position.line, "column": position.column,
            "kind": kind.to_string(), "what": what, "hint": hint,
        }));
    }
}

fn show_tables(survey: &Survey, context: &Context) {
    let mut parts = Vec::new();
    if !survey.encrypted.is_empty() {
        let header = ["encrypted", "value", "format", "id", "services", "opens"];
        parts.push(table(&header, survey.encrypted.iter().map(row)));
    }
    if !survey.missing.is_empty() {
        let rows =
            survey.missing.iter().map(|(service, path)| vec![path.to_string(), service.clone(), creation(service)]);
        parts.push(table(&["missing", "service", "hint"], rows));
    }
    if !survey.plain.is_empty() {
        let rows = survey.plain.iter().map(|finding| {
            // The place and not the line, which would show the secret.
            vec![finding.position.to_string(), finding.what.clone(), finding.hint.clone()]
        });
        parts.push(table(&["plain text", "what", "hint"], rows));
    }
    if parts.is_empty() {
        context.output.note("nothing is encrypted here, and nothing looks like a secret");
        return;
    }
    context.output.data(&parts.join("\n\n"));
    let damaged: Vec<_> = survey.encrypted.iter().filter(|one| one.format.is_none()).collect();
    for one in &damaged {
        let reason = one.problem.as_deref().unwrap_or("it has no form that is known");
        context.output.warning(&Mistake::new(format!("`{}` is damaged: {reason}", place(one))));
    }
    if survey.plain.is_empty() && damaged.is_empty() {
        context.output.note("no secrets in plain text");
    }
}

fn place(one: &Encrypted) -> String {
    one.line.map_or_else(|| one.file.to_string(), |line| format!("{}:{line}", one.file))
}

fn row(one: &Encrypted) -> Vec<String> {
    let dash = || "-".to_owned();
    vec![
        place(one),
        one.name.clone().unwrap_or_else(dash),
        one.format.clone().unwrap_or_else(|| "damaged".to_owned()),
        one.label.clone().unwrap_or_else(dash),
        if one.used_by.is_empty() { dash() } else { one.used_by.join(",") },
        one.opens.map_or_else(dash, |opens| if opens { "yes" } else { "no" }.to_owned()),
    ]
}

fn creation(service: &str) -> String {
    format!("run `cluster vault create {service}`")
}

/// A path in a finding's position is what the user would write.
pub(super) fn shown(path: &Utf8Path) -> Utf8PathBuf {
    crate::config::shown(path)
}

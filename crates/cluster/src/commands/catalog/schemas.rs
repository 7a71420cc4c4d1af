//! `cluster catalog schemas`

use crate::config::shown;
use crate::context::Context;
use crate::exit::{Code, Failure, Result};
use camino::{Utf8Path, Utf8PathBuf};
use catalog::{DEFINITIONS, values_schema};
use diagnostic::Exit;
use serde_json::{Value, json};

/// Complete the charts' values.schema.json: what charts share is copied into each, since Helm follows no reference.
///
/// A chart's author writes the properties that are the chart's own; run this after each new value.
///
/// Examples:
///   cluster catalog schemas notes
///   cluster catalog schemas --check
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Folders in build/charts; by default all
    #[arg(value_name = "CHART")]
    charts: Vec<String>,

    /// Write nothing, and say what is not up to date
    #[arg(long)]
    check: bool,
}

/// A chart's schema as it is, and as it should be.
struct Schema {
    path: Utf8PathBuf,
    is: Option<String>,
    wanted: String,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    let root = context.root()?;
    let shared = json_of(&root.join(DEFINITIONS))?;
    let names = if args.charts.is_empty() { charts(&root)? } else { args.charts.clone() };
    // All are read before the first is written.
    let schemas = names.iter().map(|name| schema(&root, name, &shared)).collect::<Result<Vec<_>>>()?;
    let stale: Vec<_> = schemas.iter().filter(|schema| schema.is.as_ref() != Some(&schema.wanted)).collect();
    for schema in &stale {
        let path = shown(&schema.path);
        if !args.check {
            std::fs::write(&schema.path, &schema.wanted)
                .map_err(|error| Failure::new(Exit::Failed, format!("`{path}` can not be written")).because(error))?;
        }
        context.output.data(&format!("{path}: {}", if args.check { "not up to date" } else { "written" }));
    }
    if args.check && !stale.is_empty() {
        let failure = Failure::new(Exit::Failed, format!("{} schemas are not up to date", stale.len()));
        return Err(failure.hinted("run `cluster catalog schemas`").into());
    }
    Ok(Code::DONE)
}

/// Charts with values: all but the library.
fn charts(root: &Utf8Path) -> Result<Vec<String>> {
    let folder = root.join("build/charts");
    let unreadable = |error| Failure::usage(format!("`{}` can not be read", shown(&folder))).because(error);
    let mut names = Vec::new();
    for entry in folder.read_dir_utf8().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.path().join("values.yaml").is_file() {
            names.push(entry.file_name().to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn schema(root: &Utf8Path, name: &str, shared: &Value) -> Result<Schema> {
    let chart = root.join("build/charts").join(name);
    let path = chart.join("values.schema.json");
    let is = path.is_file().then(|| text(&path)).transpose()?;
    let own = if is.is_some() { json_of(&path)? } else { json!({}) };
    let values_path = chart.join("values.yaml");
    let values: Value = serde_saphyr::from_str(&text(&values_path)?)
        .map_err(|error| Failure::usage(format!("`{}` is no YAML", shown(&values_path))).because(error))?;
    let wanted = values_schema(name, &own, &values, shared).map_err(|error| {
        Failure::usage(format!("the schema `{}` can not be completed", shown(&path))).because(error)
    })?;
    Ok(Schema { path, is, wanted })
}

fn text(path: &Utf8Path) -> Result<String> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("`{}` can not be read", shown(path))).because(error).into())
}

fn json_of(path: &Utf8Path) -> Result<Value> {
    serde_json::from_str(&text(path)?)
        .map_err(|error| Failure::usage(format!("`{}` is no JSON", shown(path))).because(error).into())
}

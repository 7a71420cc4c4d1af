//! `cluster sandbox logs`

use crate::context::Context;
use crate::exit::{Code, Failure, Result, boxed};
use camino::Utf8Path;
use sandbox::Component;
use serde::Serialize;
use std::io::{Read, Seek, SeekFrom};

/// Show the end of a component's log.
///
/// Examples:
///   cluster sandbox logs kube-scheduler
///   cluster sandbox logs etcd --lines 500
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The component, as `cluster sandbox status` names it
    #[arg(value_name = "COMPONENT")]
    component: String,

    /// How many lines
    #[arg(short = 'n', long, default_value_t = 50, value_name = "N")]
    lines: usize,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    let component: Component = args.component.parse().map_err(boxed)?;
    let path = context.sandbox()?.log_path(component);
    let text = end_of(path.as_str()).map_err(|error| unreadable(component, &path, error))?;
    let lines: Vec<_> = text.lines().collect();
    for line in lines.iter().skip(lines.len().saturating_sub(args.lines)) {
        if context.output.is_json() {
            context.output.json(&Line { component: component.to_string(), line });
        } else {
            context.output.data(line);
        }
    }
    Ok(Code::DONE)
}

/// A line, for scripts.
#[derive(Serialize)]
struct Line<'a> {
    component: String,
    line: &'a str,
}

fn unreadable(component: Component, path: &Utf8Path, error: std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::NotFound {
        return Failure::usage(format!("`{component}` has not been started here")).hinted("run `cluster sandbox up`");
    }
    Failure::usage(format!("`{}` can not be read", crate::config::shown(path))).because(error)
}

/// More than anybody reads in a terminal; a log may have grown for weeks.
const KEPT_BYTES: u64 = 4 * 1024 * 1024;

fn end_of(path: &str) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(KEPT_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

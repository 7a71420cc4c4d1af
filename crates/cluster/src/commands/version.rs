//! `cluster version`

use crate::context::Context;
use crate::exit::{Code, Result};
use serde::Serialize;

/// Show the version of this program and of what it is made for.
///
/// Examples:
///   cluster version
///   cluster version --output json
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {}

/// The versions, also as an object for scripts.
#[derive(Serialize)]
struct Versions {
    cluster: &'static str,
    kubernetes: &'static str,
    ansible_core: &'static str,
}

pub(crate) fn run(_args: &Args, context: &Context) -> Result<Code> {
    let versions = Versions {
        cluster: env!("CARGO_PKG_VERSION"),
        kubernetes: sandbox::KUBERNETES_MINOR,
        ansible_core: ::playbook::REFERENCE_VERSION,
    };
    if context.output.is_json() {
        context.output.json(&versions);
    } else {
        let Versions { cluster, kubernetes, ansible_core } = versions;
        let text = format!("cluster {cluster}\nkubernetes {kubernetes}\nansible-core {ansible_core} (reference)");
        context.output.data(&text);
    }
    Ok(Code::DONE)
}

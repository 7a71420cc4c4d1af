//! `cluster playbook check`

use super::{Engine, read};
use crate::context::Context;
use crate::exit::{Code, Result, boxed};
use camino::{Utf8Path, Utf8PathBuf};
use diagnostic::Mistakes;
use serde::Serialize;

/// Find what is wrong in playbooks without running them: unknown modules, parameters, keywords, filters, handlers.
///
/// Examples:
///   cluster playbook check build/playbooks/ollama/build.yml
///   cluster playbook check --engine native build/playbooks/*/build.yml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Playbooks
    #[arg(required = true, value_name = "PLAYBOOK")]
    playbooks: Vec<Utf8PathBuf>,

    /// What they have to be right for
    #[arg(long, value_enum, default_value_t = Engine::Native)]
    engine: Engine,
}

/// A playbook in which nothing is wrong.
#[derive(Serialize)]
struct Right<'a> {
    playbook: &'a Utf8Path,
    /// Whether the native engine runs it.
    native: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    let checked = read(args.playbooks.iter().map(AsRef::as_ref), context)?;
    let rights = args.playbooks.iter().zip(&checked);
    let rights: Vec<_> = rights.map(|(playbook, one)| Right { playbook, native: one.unsupported.is_empty() }).collect();
    if args.engine == Engine::Native {
        let mut unsupported = Mistakes::new();
        checked.into_iter().for_each(|one| unsupported.extend(one.unsupported));
        unsupported.into_result().map_err(boxed)?;
    }
    if context.output.is_json() {
        rights.iter().for_each(|right| context.output.json(right));
        return Ok(Code::DONE);
    }
    let count = args.playbooks.len();
    let playbooks = if count == 1 { "playbook" } else { "playbooks" };
    context.output.data(&format!("{count} {playbooks} checked, nothing is wrong"));
    Ok(Code::DONE)
}

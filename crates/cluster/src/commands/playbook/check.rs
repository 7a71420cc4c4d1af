//! `cluster playbook check`

use super::Engine;
use crate::context::Context;
use crate::exit::{Code, Result, boxed};
use camino::Utf8PathBuf;
use diagnostic::Mistakes;
use playbook::{Playbook, Sources};

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

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    let mut mistakes = Mistakes::new();
    for path in &args.playbooks {
        match Playbook::load(path, &Sources::default()) {
            Ok(playbook) => {
                playbook.warnings.iter().for_each(|warning| context.output.warning(warning));
                let report = playbook::check(&playbook);
                mistakes.extend(report.mistakes);
                if args.engine == Engine::Native {
                    mistakes.extend(report.unsupported);
                }
            }
            Err(error) => mistakes.extend(error),
        }
    }
    mistakes.into_result().map_err(boxed)?;
    let count = args.playbooks.len();
    context
        .output
        .data(&format!("{count} {} checked, nothing is wrong", if count == 1 { "playbook" } else { "playbooks" }));
    Ok(Code::DONE)
}

//! `cluster playbook run`

use super::options::RunOptions;
use super::{Engine, Settled, run_ansible};
use crate::context::Context;
use crate::exit::{Code, Result, boxed};
use crate::interrupt;
use camino::Utf8PathBuf;
use inventory::Inventory;
use playbook::{Options, Playbook, Sources};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Run playbooks as ansible-playbook does, with its exit codes, without Python.
///
/// Examples:
///   cluster playbook run site.yml -i hosts.ini --check --diff
///   cluster playbook run site.yml --limit 'workers:!pi-1' -e version=1.2
#[derive(Debug, Clone, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Playbooks, run one after the other
    #[arg(required = true, value_name = "PLAYBOOK")]
    playbooks: Vec<Utf8PathBuf>,

    /// What runs them: this program, or ansible-playbook where it is installed
    #[arg(long, value_enum, default_value_t = Engine::Auto)]
    engine: Engine,

    #[command(flatten)]
    options: RunOptions,
}

/// ansible-playbook's exit code for a playbook that it can't parse (`ExitCode.PARSER_ERROR`, ansible-core 2.19).
const PARSER_ERROR: u8 = 4;

/// A playbook that is right, and what runs it.
struct Prepared<'a> {
    path: &'a Utf8PathBuf,
    playbook: Playbook,
    engine: Settled,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    let inventory = context.inventory()?;
    let options = args.options.to_native(context)?;
    let prepared = match args.playbooks.iter().map(|path| prepare(path, args, context)).collect::<Result<Vec<_>>>() {
        Ok(prepared) => prepared,
        Err(error) => {
            context.output.error(error.as_ref());
            return Ok(Code::raw(PARSER_ERROR));
        }
    };
    context.runtime()?.block_on(async {
        let cancel = interrupt::token();
        for one in &prepared {
            let code = match one.engine {
                Settled::Native => native(one, &inventory, &options, context, cancel.clone()).await,
                Settled::Ansible => {
                    let mut words = args.options.to_ansible(context)?;
                    words.push(one.path.to_string());
                    run_ansible(&words, &cancel).await?
                }
            };
            if code != 0 {
                return Ok(Code::raw(code));
            }
        }
        Ok(Code::DONE)
    })
}

fn prepare<'a>(path: &'a Utf8PathBuf, args: &Args, context: &Context) -> Result<Prepared<'a>> {
    let playbook = Playbook::load(path, &Sources::default()).map_err(boxed)?;
    let engine = args.engine.settle(playbook::check(&playbook), context)?;
    playbook.warnings.iter().for_each(|warning| context.output.warning(warning));
    Ok(Prepared { path, playbook, engine })
}

async fn native(
    one: &Prepared<'_>,
    inventory: &Arc<Inventory>,
    options: &Options,
    context: &Context,
    cancel: CancellationToken,
) -> u8 {
    let tell = |event: playbook::event::Event| context.output.event(event);
    match playbook::run(&one.playbook, inventory, options, &tell, cancel).await {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            context.output.error(&error);
            error.exit_code()
        }
    }
}

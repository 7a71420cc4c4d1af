//! `cluster playbook run`

use super::options::RunOptions;
use super::{Engine, Settled, Stdout, failure, read, run_ansible};
use crate::context::Context;
use crate::exit::{Code, Result};
use crate::interrupt;
use camino::Utf8PathBuf;
use inventory::Inventory;
use playbook::event::Event;
use playbook::{Options, Playbook};
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
    ///
    /// By default what `cluster.toml` says, else auto
    #[arg(long, value_enum, value_name = "ENGINE")]
    engine: Option<Engine>,

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
    let checked = match read(args.playbooks.iter().map(AsRef::as_ref), context) {
        Ok(checked) => checked,
        Err(error) => {
            context.output.error_ending_with(error.as_ref(), PARSER_ERROR);
            return Ok(Code::raw(PARSER_ERROR));
        }
    };
    let wanted = context.engine(args.engine)?;
    let mut prepared = Vec::new();
    for (path, one) in args.playbooks.iter().zip(checked) {
        let engine = wanted.settle(one.unsupported, context)?;
        prepared.push(Prepared { path, playbook: one.playbook, engine });
    }
    // The other engine asks for passwords itself.
    let is_native = prepared.iter().any(|one| one.engine == Settled::Native);
    let options = args.options.to_native(context, is_native)?;
    context.runtime()?.block_on(async {
        let cancel = interrupt::token();
        for one in &prepared {
            let code = match one.engine {
                Settled::Native => native(one, &inventory, &options, context, cancel.clone()).await,
                Settled::Ansible => {
                    let mut words = args.options.to_ansible(context)?;
                    words.push(one.path.to_string());
                    run_ansible(&words, Stdout::Own, context, &cancel).await?
                }
            };
            if cancel.is_cancelled() {
                return Err(interrupt::error(&context.again()));
            }
            if code != 0 {
                return Ok(Code::raw(code));
            }
        }
        Ok(Code::DONE)
    })
}

async fn native(
    one: &Prepared<'_>,
    inventory: &Arc<Inventory>,
    options: &Options,
    context: &Context,
    cancel: CancellationToken,
) -> u8 {
    let again = context.again();
    let tell = |event: Event| {
        let failure = failure::of(&event, &again);
        let is_explained =
            !context.output.is_json() && matches!(&event, Event::TaskFinished { diagnostic: Some(_), .. });
        context.output.event(event);
        if let Some((failure, exit_code)) = failure.filter(|_| !is_explained) {
            context.output.error_ending_with(&failure, exit_code);
        }
    };
    match playbook::run(&one.playbook, inventory, options, &tell, cancel).await {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            context.output.error_ending_with(&error, error.exit_code());
            error.exit_code()
        }
    }
}

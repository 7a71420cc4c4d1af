//! `cluster playbook run`

use super::options::RunOptions;
use super::{Engine, Settled, run_ansible};
use crate::context::Context;
use crate::exit::{Code, Result, boxed};
use crate::interrupt;
use camino::Utf8PathBuf;
use playbook::{Playbook, Sources};

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

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    let inventory = context.inventory()?;
    let options = args.options.to_native(context)?;
    let mut settled = Vec::new();
    for path in &args.playbooks {
        let playbook = Playbook::load(path, &Sources::default()).map_err(boxed)?;
        let engine = args.engine.settle(playbook::check(&playbook), context)?;
        playbook.warnings.iter().for_each(|warning| context.output.warning(warning));
        settled.push((path, playbook, engine));
    }
    context.runtime()?.block_on(async {
        let cancel = interrupt::token();
        for (path, playbook, engine) in &settled {
            let code = match engine {
                Settled::Native => {
                    let tell = |event: playbook::event::Event| context.output.event(event);
                    let run = playbook::run(playbook, &inventory, &options, &tell, cancel.clone()).await;
                    run.map_err(boxed)?.exit_code()
                }
                Settled::Ansible => {
                    let mut words = args.options.to_ansible(context)?;
                    words.push(path.to_string());
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

//! What runs a playbook: this program, or the real `ansible-playbook`. Never half a play in each.

use crate::context::Context;
use crate::exit::{Failure, Result, boxed};
use clap::ValueEnum;
use diagnostic::{Exit, Mistakes};
use playbook::Report;
use tokio_util::sync::CancellationToken;

/// What runs a playbook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// This program; `ansible-playbook`, if it is installed, for playbooks that use what this program does not know.
    Auto,
    /// This program.
    Native,
    /// `ansible-playbook`.
    Ansible,
}

/// The engine that was settled on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// This program.
    Native,
    /// `ansible-playbook`.
    Ansible,
}

/// The program of the other engine.
const ANSIBLE: &str = "ansible-playbook";

impl Engine {
    /// Decides, or says everything that stands in the way, before anything runs.
    pub(crate) fn settle(self, report: Report, context: &Context) -> Result<Settled> {
        report.mistakes.into_result().map_err(boxed)?;
        let unsupported = report.unsupported;
        match self {
            Self::Ansible if !is_installed() => Err(Failure::usage(format!("`{ANSIBLE}` is not installed"))
                .hinted("pip install -r requirements.txt -c constraints.txt, or leave out `--engine ansible`")
                .into()),
            Self::Ansible => Ok(Settled::Ansible),
            _ if unsupported.is_empty() => Ok(Settled::Native),
            Self::Auto if is_installed() => {
                let count = unsupported.iter().count();
                let message = format!("{count} things in the playbook are left to `{ANSIBLE}`, which runs it whole");
                context.output.event(crate::output::DeployEvent::Notice { message });
                Ok(Settled::Ansible)
            }
            _ => Err(with_way_out(unsupported)),
        }
    }
}

/// Everything that the native engine does not know, with the other engine as the way out where there is no better hint.
fn with_way_out(unsupported: Mistakes) -> crate::exit::Error {
    let way_out =
        format!("install `{ANSIBLE}` (pip install -r requirements.txt -c constraints.txt): it runs the playbook whole");
    let mut mistakes = Mistakes::new();
    mistakes.extend(unsupported.into_iter().map(|mistake| match mistake.hint {
        Some(_) => mistake,
        None => mistake.hinted(way_out.clone()),
    }));
    match mistakes.into_result() {
        Err(mistakes) => boxed(mistakes),
        Ok(()) => Failure::usage("the playbook can not be run").into(),
    }
}

fn is_installed() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(ANSIBLE).is_file())
}

/// Runs `ansible-playbook` with its output where ours goes, and returns its exit code.
pub(crate) async fn run_ansible(arguments: &[String], cancel: &CancellationToken) -> Result<u8> {
    let failed = |error| Failure::new(Exit::Failed, format!("`{ANSIBLE}` could not be run")).because(error);
    let mut child = tokio::process::Command::new(ANSIBLE).args(arguments).spawn().map_err(failed)?;
    let ended = tokio::select! {
        ended = child.wait() => ended.map_err(failed)?,
        // The terminal sends Ctrl-C to it as well; it ends its own tasks, and we wait for that.
        () = cancel.cancelled() => child.wait().await.map_err(failed)?,
    };
    Ok(ended.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

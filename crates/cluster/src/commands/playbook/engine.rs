//! What runs a playbook: this program, or the real `ansible-playbook`. Never half a play in each.

use super::ansible::{ANSIBLE, is_installed};
use crate::context::Context;
use crate::exit::{Failure, Result, boxed};
use camino::Utf8Path;
use clap::ValueEnum;
use diagnostic::Mistakes;
use playbook::{Playbook, Sources};
use serde::Deserialize;

/// What runs a playbook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
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

/// A playbook without mistakes, and what stands in the way of the native engine.
pub(crate) struct Checked {
    pub(crate) playbook: Playbook,
    pub(crate) unsupported: Mistakes,
}

/// Reads and checks playbooks, and says everything wrong in all of them at once.
pub(crate) fn read<'p>(paths: impl IntoIterator<Item = &'p Utf8Path>, context: &Context) -> Result<Vec<Checked>> {
    let mut mistakes = Mistakes::new();
    let mut read = Vec::new();
    for path in paths {
        match Playbook::load(path, &Sources::default()) {
            Ok(playbook) => {
                let report = playbook::check(&playbook);
                report.warnings.iter().for_each(|warning| context.output.warning(warning));
                mistakes.extend(report.mistakes);
                read.push(Checked { playbook, unsupported: report.unsupported });
            }
            Err(error) => mistakes.extend(error),
        }
    }
    mistakes.into_result().map_err(boxed)?;
    Ok(read)
}

impl Engine {
    /// Decides, or says everything that stands in the way, before anything runs.
    pub(crate) fn settle(self, unsupported: Mistakes, context: &Context) -> Result<Settled> {
        match self {
            Self::Ansible if !is_installed() => Err(Failure::usage(format!("`{ANSIBLE}` is not installed"))
                .hinted("run `pip install -r requirements.txt -c constraints.txt`, or leave out `--engine ansible`")
                .into()),
            Self::Ansible => Ok(Settled::Ansible),
            _ if unsupported.is_empty() => Ok(Settled::Native),
            Self::Auto if is_installed() => {
                let things = match unsupported.iter().count() {
                    1 => "1 thing in the playbook is".to_owned(),
                    count => format!("{count} things in the playbook are"),
                };
                let message = format!("{things} left to `{ANSIBLE}`, which runs it whole");
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
        format!("run `pip install -r requirements.txt -c constraints.txt`: `{ANSIBLE}` runs the playbook whole");
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

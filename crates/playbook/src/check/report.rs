//! The check of a whole playbook.

use super::items::Checker;
use crate::Playbook;
use crate::load::{Play, problems::Problems};
use diagnostic::{Mistake, Mistakes};

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What no engine would run, by position.
    pub mistakes: Mistakes,
    /// What `ansible-playbook` would run and this engine would not, by position.
    pub unsupported: Mistakes,
    /// What is odd, but runs.
    pub warnings: Vec<Mistake>,
}

impl Report {
    /// Whether this engine can run the playbook.
    pub fn is_runnable(&self) -> bool {
        self.mistakes.is_empty() && self.unsupported.is_empty()
    }
}

/// Checks a playbook: its structure, modules and their parameters, templates, handlers. Nothing is run, no variable is known.
pub fn check(playbook: &Playbook) -> Report {
    let mut problems = playbook.problems.clone();
    for play in &playbook.plays {
        check_play(play, playbook, &mut problems);
    }
    Report {
        mistakes: sorted(problems.mistakes),
        unsupported: sorted(problems.unsupported),
        warnings: playbook.warnings.clone(),
    }
}

fn check_play(play: &Play, playbook: &Playbook, problems: &mut Problems) {
    let mut checker = Checker::new(problems);
    checker.sources = Some(playbook.sources);
    checker.play(play);
}

/// By position, each once.
fn sorted(mistakes: Mistakes) -> Mistakes {
    mistakes.into_result().err().unwrap_or_default()
}

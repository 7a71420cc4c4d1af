//! How a run ended, and its counts by host.

use crate::event::{Counts, Status};
use std::collections::{BTreeMap, BTreeSet};

/// How a run ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Counts by host.
    pub recap: BTreeMap<String, Counts>,
    /// Hosts on which a task failed and nothing caught it.
    pub failed: BTreeSet<String>,
    /// Hosts that could not be reached.
    pub unreachable: BTreeSet<String>,
    /// Whether the run was cancelled.
    pub interrupted: bool,
}

impl Outcome {
    /// Whether every host did all that it had to.
    pub fn succeeded(&self) -> bool {
        self.failed.is_empty() && self.unreachable.is_empty() && !self.interrupted
    }

    /// The exit code of `ansible-playbook` (`ExitCode` in `ansible/constants.py` 2.19): 0 done, 2 a host failed, 4 a host was
    /// unreachable, 99 interrupted. Errors outside of hosts have codes of their own: see [`crate::Error::exit_code`].
    pub fn exit_code(&self) -> u8 {
        match (self.interrupted, self.unreachable.is_empty(), self.failed.is_empty()) {
            (true, ..) => 99,
            (_, false, _) => 4,
            (_, _, false) => 2,
            _ => 0,
        }
    }

    fn counts(&mut self, host: &str) -> &mut Counts {
        if !self.recap.contains_key(host) {
            self.recap.insert(host.to_owned(), Counts::default());
        }
        self.recap.entry(host.to_owned()).or_default()
    }

    /// Counts a task as Ansible does (`_process_pending_results`).
    pub(crate) fn count(&mut self, host: &str, status: Status, is_changed: bool) {
        let counts = self.counts(host);
        match status {
            Status::Ok => counts.ok += 1,
            Status::Changed => {
                counts.ok += 1;
                counts.changed += 1;
            }
            Status::Skipping => counts.skipped += 1,
            Status::Failed => counts.failed += 1,
            Status::Rescued => counts.rescued += 1,
            Status::Unreachable => counts.unreachable += 1,
            Status::Ignored => {
                counts.ok += 1;
                counts.ignored += 1;
                counts.changed += u32::from(is_changed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[], &[], false, 0)]
    #[case(&["a"], &[], false, 2)]
    #[case(&["a"], &["b"], false, 4)]
    #[case(&["a"], &["b"], true, 99)]
    fn exit_codes_are_those_of_ansible_playbook(
        #[case] failed: &[&str],
        #[case] unreachable: &[&str],
        #[case] interrupted: bool,
        #[case] code: u8,
    ) {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let outcome =
            Outcome { failed: names(failed), unreachable: names(unreachable), interrupted, ..Outcome::default() };
        assert_eq!(outcome.exit_code(), code);
        assert_eq!(outcome.succeeded(), code == 0);
    }
}

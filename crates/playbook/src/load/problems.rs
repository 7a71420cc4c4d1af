//! What is found wrong, or not supported, while a playbook is read and checked.

use diagnostic::{Mistake, Mistakes, Position};

/// Mistakes, and constructs of Ansible that the native engine does not carry out yet, in two lists: the first stop every
/// engine, the second only ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    /// What no engine would accept.
    pub mistakes: Mistakes,
    /// What `ansible-playbook` would run, and this engine does not.
    pub unsupported: Mistakes,
}

impl Problems {
    /// Adds a mistake at a place.
    pub(crate) fn mistake(&mut self, at: &Position, message: impl Into<String>) {
        self.mistakes.push(Mistake::at(at.clone(), message));
    }

    /// Adds a mistake at a place, with a next step.
    pub(crate) fn hinted(&mut self, at: &Position, message: impl Into<String>, hint: Option<String>) {
        let mistake = Mistake::at(at.clone(), message);
        self.mistakes.push(match hint {
            Some(hint) => mistake.hinted(hint),
            None => mistake,
        });
    }

    /// Adds something that only `ansible-playbook` can run.
    pub(crate) fn unsupported(&mut self, at: &Position, what: impl Into<String>) {
        let mistake = Mistake::at(at.clone(), format!("{} is not supported by the native engine", what.into()));
        self.unsupported.push(mistake.hinted("run it with `--engine ansible`, which needs `ansible-playbook`"));
    }

    /// Adds all of another set.
    pub(crate) fn extend(&mut self, other: Self) {
        self.mistakes.extend(other.mistakes);
        self.unsupported.extend(other.unsupported);
    }

    /// Whether there is nothing in either list.
    pub fn is_empty(&self) -> bool {
        self.mistakes.is_empty() && self.unsupported.is_empty()
    }
}

/// The hint that names the nearest valid word.
pub(crate) fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, candidates).map(|nearest| format!("did you mean `{nearest}`?"))
}

/// The nearest valid word. In short ones two letters in the wrong order (`atp`) are far by the usual measure, and the most
/// likely mistake all the same.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let near = diagnostic::closest(name, candidates.iter().copied());
    near.or_else(|| {
        candidates.into_iter().find(|candidate| name.len() > 2 && strsim::damerau_levenshtein(name, candidate) == 1)
    })
}

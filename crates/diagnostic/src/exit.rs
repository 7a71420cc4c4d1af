//! How the process ends.

/// The exit codes of every command but `cluster playbook run`, which keeps those of `ansible-playbook`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything asked for was done.
    Done,
    /// The deployment or check failed.
    Failed,
    /// Wrong usage or configuration: nothing was touched.
    Usage,
    /// A host could not be reached.
    Unreachable,
    /// The service came up but its verification failed.
    Unverified,
    /// The user interrupted.
    Interrupted,
}

impl Exit {
    /// The number that the process returns.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::Unverified => 4,
            Self::Interrupted => 130,
        }
    }
}

//! Where a value stands in a result, which says what of it can be a secret.

/// What a part of a result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A whole result.
    Result,
    /// The results of a loop.
    Results,
    /// What a task was given and says again: secrets of any type are hidden.
    Echo,
    /// What the machine says: short secrets are not sought in it, since they stand there by chance.
    Answer,
    /// Anything else, such as the result's own numbers and flags: texts are hidden.
    Own,
    /// Made of secrets as a whole.
    Secret,
}

/// Keys of results that echo what a task was given, whatever its module.
const ECHOES: [&str; 7] = ["ansible_facts", "ansible_loop", "assertion", "cmd", "invocation", "msg", "stdin"];

/// Keys of results that hold what the machine, or a server, says.
const ANSWERS: [&str; 6] = ["content", "json", "stderr", "stderr_lines", "stdout", "stdout_lines"];

/// Keys of results that tell of a file's content.
pub(super) const CONTENT: [&str; 3] = ["checksum", "diff", "md5sum"];

impl Kind {
    /// What stands under a key. `echoes` are the keys by which this task's own parameters are called.
    pub(super) fn under(self, key: &str, echoes: &dyn Fn(&str) -> bool, hides_content: bool) -> Self {
        match self {
            Self::Result if key == "results" => Self::Results,
            Self::Result if hides_content && CONTENT.contains(&key) => Self::Secret,
            Self::Result if ECHOES.contains(&key) || echoes(key) => Self::Echo,
            Self::Result if ANSWERS.contains(&key) => Self::Answer,
            Self::Result => Self::Own,
            other => other,
        }
    }

    /// What an item of a list is.
    pub(super) fn item(self) -> Self {
        if self == Self::Results { Self::Result } else { self }
    }
}

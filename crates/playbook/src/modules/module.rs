//! What a module declares about itself: the checker, the reference documentation and the parsing of its parameters all come
//! from this declaration.

use super::{Failure, Invocation, TaskResult};
use futures::future::BoxFuture;

/// One Ansible module.
pub struct Module {
    /// Short name; the full one is `ansible.builtin.<name>`.
    pub name: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// Its parameters, named as Ansible's.
    pub parameters: &'static [Parameter],
    /// Whether it takes a free-form line (`command: ls -l`), which arrives as [`Invocation::free_form`].
    pub free_form: bool,
    /// Whether any parameter name is allowed (`set_fact`).
    pub open: bool,
    /// Whether it needs the machine at all; `debug`, `assert`, `fail` and `set_fact` do not, and run without a connection.
    pub needs_machine: bool,
    /// Carries it out. An `Err` is a task that failed.
    pub run: for<'a> fn(&'a Invocation<'a>) -> BoxFuture<'a, Result<TaskResult, Failure>>,
}

/// One parameter of a module.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Ansible's name.
    pub name: &'static str,
    /// Ansible's other names for it.
    pub aliases: &'static [&'static str],
    /// What it takes.
    pub kind: Kind,
    /// Whether it must be given.
    pub required: bool,
    /// The values it takes, if limited.
    pub choices: &'static [&'static str],
    /// Its default, as Ansible's documentation writes it.
    pub default: Option<&'static str>,
    /// What it means, in a line.
    pub summary: &'static str,
}

/// What a parameter takes, with Ansible's conversions (`"yes"` for a boolean, a comma-separated string for a list).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `str`
    String,
    /// `bool`
    Bool,
    /// `int`
    Integer,
    /// `float`
    Float,
    /// `path`: `~` and `$VARIABLES` are expanded on the machine where it is meant.
    Path,
    /// `list`
    List,
    /// `dict`
    Dictionary,
    /// `raw`
    Raw,
    /// Conditions, one or a list, which arrive as they are written: the module evaluates them (`assert: that:`).
    Conditions,
}

impl Parameter {
    /// An optional parameter without default, aliases or limited values.
    pub const fn new(name: &'static str, kind: Kind, summary: &'static str) -> Self {
        Self { name, aliases: &[], kind, required: false, choices: &[], default: None, summary }
    }

    /// The same, but it must be given.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// The same with other names.
    #[must_use]
    pub const fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// The same with limited values.
    #[must_use]
    pub const fn choices(self, choices: &'static [&'static str]) -> Self {
        Self { choices, ..self }
    }

    /// The same with a default.
    #[must_use]
    pub const fn default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }
}

//! Filters by name.

use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Exec};
use std::collections::HashMap;
use std::sync::LazyLock;

/// A filter: its function, and how much of undefined values and lazy containers it takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filter {
    pub(crate) run: fn(&mut Exec, Args) -> Result<Value, Error>,
    /// Whether it takes undefined values; others give back the first one they are given.
    pub(crate) takes_markers: bool,
    /// Whether containers reach it with their members not rendered yet.
    pub(crate) lazy: bool,
}

/// A filter of defined values.
pub(super) const fn plain(run: fn(&mut Exec, Args) -> Result<Value, Error>) -> Filter {
    Filter { run, takes_markers: false, lazy: false }
}

/// A filter that also takes what is undefined.
pub(super) const fn tolerant(run: fn(&mut Exec, Args) -> Result<Value, Error>) -> Filter {
    Filter { run, takes_markers: true, lazy: true }
}

static FILTERS: LazyLock<HashMap<&'static str, Filter>> = LazyLock::new(|| {
    let families = [
        super::comment::FILTERS,
        super::dicts::FILTERS,
        super::encode::FILTERS,
        super::json::FILTERS,
        super::lists::FILTERS,
        super::numbers::FILTERS,
        super::paths::FILTERS,
        super::regex::FILTERS,
        super::select::FILTERS,
        super::sets::FILTERS,
        super::text::FILTERS,
        super::time::FILTERS,
        super::types::FILTERS,
        super::url::FILTERS,
        super::vault::FILTERS,
        super::yaml::FILTERS,
    ];
    families.into_iter().flatten().copied().collect()
});

/// The name without its collection, when that is Ansible's own.
pub(crate) fn short(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name)
}

/// The filter of that name.
pub(crate) fn find(name: &str) -> Option<Filter> {
    FILTERS.get(short(name)).copied()
}

/// The error of a filter that does not exist.
pub(crate) fn unknown(name: &str) -> Error {
    let nearest = diagnostic::closest(short(name), FILTERS.keys().copied());
    Error::Unknown { kind: "filter", name: name.to_owned(), nearest, place: None }
}

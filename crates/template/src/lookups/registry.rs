//! Lookups by name.

use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Exec};
use crate::filters::short;

/// A lookup gives a list.
pub(super) type Lookup = fn(&mut Exec, Args) -> Result<Vec<Value>, Error>;

const LOOKUPS: &[(&str, Lookup)] = &[
    ("dict", super::loops::dict),
    ("env", super::values::env),
    ("file", super::files::file),
    ("fileglob", super::files::fileglob),
    ("first_found", super::files::first_found),
    ("indexed_items", super::loops::indexed_items),
    ("items", super::loops::items),
    ("lines", super::files::lines),
    ("list", super::loops::list),
    ("nested", super::loops::nested),
    ("password", super::password::password),
    ("pipe", super::files::pipe),
    ("random_choice", super::loops::random_choice),
    ("sequence", super::loops::sequence),
    ("subelements", super::loops::subelements),
    ("template", super::files::template),
    ("together", super::loops::together),
    ("unvault", super::files::unvault),
    ("varnames", super::values::varnames),
    ("vars", super::values::vars),
];

/// The lookup of that name.
pub(super) fn find(name: &str) -> Option<Lookup> {
    LOOKUPS.iter().find(|(known, _)| *known == short(name)).map(|(_, lookup)| *lookup)
}

/// Whether there is a lookup of that name.
pub(crate) fn exists(name: &str) -> bool {
    find(name).is_some()
}

/// The error of a lookup that does not exist.
pub(crate) fn unknown(name: &str) -> Error {
    let nearest = diagnostic::closest(short(name), LOOKUPS.iter().map(|(known, _)| *known));
    Error::Unknown { kind: "lookup", name: name.to_owned(), nearest, place: None }
}

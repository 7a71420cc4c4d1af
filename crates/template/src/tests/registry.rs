//! Tests by name.

use crate::error::Error;
use crate::eval::{Args, Exec};
use crate::filters::short;
use std::collections::HashMap;
use std::sync::LazyLock;

/// A test: its function, and whether it takes undefined values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Test {
    pub(crate) run: fn(&mut Exec, Args) -> Result<bool, Error>,
    pub(crate) takes_markers: bool,
}

/// A test of defined values.
pub(super) const fn plain(run: fn(&mut Exec, Args) -> Result<bool, Error>) -> Test {
    Test { run, takes_markers: false }
}

static TESTS: LazyLock<HashMap<&'static str, Test>> = LazyLock::new(|| {
    let families = [
        super::basic::TESTS,
        super::collections::TESTS,
        super::files::TESTS,
        super::results::TESTS,
        super::text::TESTS,
        super::version::TESTS,
    ];
    families.into_iter().flatten().copied().collect()
});

/// The test of that name.
pub(crate) fn find(name: &str) -> Option<Test> {
    TESTS.get(short(name)).copied()
}

/// The error of a test that does not exist.
pub(crate) fn unknown(name: &str) -> Error {
    let nearest = diagnostic::closest(short(name), TESTS.keys().copied());
    Error::Unknown { kind: "test", name: name.to_owned(), nearest, place: None }
}

//! Files in `docs/reference` that are generated.

/// Compares a committed file (its path from the root of the repository) with what it should be, or writes it when
/// `UPDATE_DOCS` is set.
///
/// # Panics
/// When the file is stale.
pub fn current(path: &str, wanted: &str) {
    let file = support::root().join(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, wanted).expect("the file");
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    let stale = committed.lines().zip(wanted.lines()).find(|(committed, wanted)| committed != wanted);
    assert!(committed == wanted, "{path} is stale: run `make docs`; first difference: {stale:?}");
}

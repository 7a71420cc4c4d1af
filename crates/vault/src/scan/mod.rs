//! Secrets that stand in plain text where everyone who has the repository reads them: what a file's text shows ([`scan`]), and
//! which files of a folder are looked at ([`files`], [`below`]). Made to be believed: a name that only points at a secret, a
//! placeholder or an example is no finding, and where a value is none although it looks like one, `# not a secret: REASON` says so.

mod assignments;
mod blocks;
mod file;
mod finding;
mod keys;
mod kind;
mod lines;
mod lists;
mod manifest;
mod marker;
mod text;
mod tokens;
mod urls;
mod values;
mod walk;

#[cfg(test)]
mod tests;

pub use finding::{Finding, Kind};
pub use keys::names_a_secret;
pub use text::{scan, scan_binary};
pub use walk::{below, files};

//! One pass over the files: what is encrypted, what is not and should be.

use super::encrypted::{self, Encrypted};
use super::run::shown;
use super::users::Users;
use crate::context::Context;
use crate::exit::Result;
use crate::passwords::Passwords;
use camino::{Utf8Path, Utf8PathBuf};
use catalog::Catalog;
use diagnostic::Position;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use vault::scan::{self, Finding, Kind};

/// What was found.
pub(super) struct Survey {
    pub(super) encrypted: Vec<Encrypted>,
    /// Services and the files that they lack.
    pub(super) missing: Vec<(String, Utf8PathBuf)>,
    pub(super) plain: Vec<Finding>,
}

/// Looks at all files below some places.
pub(super) fn make(places: &[Utf8PathBuf], context: &Context) -> Result<Survey> {
    let catalog = context.catalog().ok();
    let users = Users::new(catalog.as_ref());
    let passwords = context.passwords()?;
    let secrets = passwords.at_hand();
    let mut survey = Survey { encrypted: Vec::new(), missing: missing(catalog.as_ref(), places), plain: Vec::new() };
    for path in files(places) {
        // Gone since, or not ours to read.
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let shown = shown(&path);
        survey.encrypted.extend(encrypted::of_file(&path, &shown, &bytes, &secrets, &users));
        survey.plain.extend(plain(&shown, &bytes));
        survey.plain.extend(password_file(&path, &shown, &bytes, passwords));
    }
    survey.plain.dedup_by(|one, other| one.position == other.position && one.kind == other.kind);
    Ok(survey)
}

/// Each file once, by absolute path.
fn files(places: &[Utf8PathBuf]) -> BTreeSet<Utf8PathBuf> {
    let below = places.iter().flat_map(|place| scan::files(place.as_std_path()));
    let absolute = below.filter_map(|path| std::path::absolute(path).ok());
    absolute.filter_map(|path| Utf8PathBuf::from_path_buf(path).ok()).collect()
}

fn plain(shown: &Utf8Path, bytes: &[u8]) -> Vec<Finding> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => scan::scan(shown.as_str(), text),
        // No text to search, but its name may say that it should be encrypted.
        _ => scan::scan_binary(shown.as_str(), bytes).into_iter().collect(),
    }
}

/// The file that the vault password is read from, when it lies in a repository and Git does not ignore it. A program tells nothing, and
/// neither does a file that is encrypted itself.
fn password_file(path: &Utf8Path, shown: &Utf8Path, bytes: &[u8], passwords: &Passwords) -> Option<Finding> {
    let is_one = passwords.files().any(|file| file.canonicalize().is_ok_and(|file| file == path.as_std_path()));
    let is_program = path.metadata().is_ok_and(|data| data.permissions().mode() & 0o111 != 0);
    let is_in_repository = path.ancestors().any(|folder| folder.join(".git").exists());
    (is_one && !is_program && is_in_repository && !vault::has_header(bytes)).then(|| Finding {
        position: Position::new(shown.as_str(), 1, 1),
        kind: Kind::PasswordFile,
        what: "a file with a vault password".to_owned(),
        hint: format!("keep it outside of the repository, or name it in .gitignore: {shown}"),
    })
}

fn missing(catalog: Option<&Catalog>, places: &[Utf8PathBuf]) -> Vec<(String, Utf8PathBuf)> {
    let places: Vec<_> = places.iter().filter_map(|place| place.canonicalize_utf8().ok()).collect();
    let vaulted = catalog.into_iter().flat_map(Catalog::iter).filter(|service| service.vault);
    let lacking = vaulted.filter(|service| !service.encrypted_config().exists());
    let wanted = lacking.filter(|service| {
        let folder = service.folder.canonicalize_utf8().unwrap_or_else(|_| service.folder.clone());
        places.iter().any(|place| folder.starts_with(place))
    });
    wanted.map(|service| (service.name.to_string(), shown(&service.encrypted_config()))).collect()
}

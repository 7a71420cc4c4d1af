//! Finds and reads files on the controller as Ansible does: relative paths along the search path, encrypted ones in clear.

use super::{Failure, Invocation};
use camino::{Utf8Path, Utf8PathBuf};
use std::os::unix::fs::PermissionsExt;

/// The first file or directory of that name along the search path; in each folder, `kind` (`files`, `templates`) comes first.
/// (`path_dwim_relative_stack` in ansible-core's `parsing/dataloader.py`.)
pub(crate) fn find(invocation: &Invocation<'_>, kind: &str, name: &str) -> Result<Utf8PathBuf, Failure> {
    let written = Utf8Path::new(name);
    let mut candidates: Vec<Utf8PathBuf> = Vec::new();
    if let Some(rest) = name.strip_prefix("~/") {
        let home = std::env::var("HOME").unwrap_or_default();
        candidates.push(Utf8Path::new(&home).join(rest));
    } else if written.is_absolute() {
        candidates.push(written.to_owned());
    } else {
        for folder in &invocation.search_path {
            candidates.push(folder.join(kind).join(written));
            candidates.push(folder.join(written));
        }
    }
    match candidates.iter().find(|candidate| candidate.exists()) {
        Some(found) => Ok(found.clone()),
        None => Err(not_found(name, &candidates)),
    }
}

fn not_found(name: &str, candidates: &[Utf8PathBuf]) -> Failure {
    let searched: String = candidates.iter().map(|candidate| format!("\n\t{candidate}")).collect();
    let searched = if searched.is_empty() { String::new() } else { format!("\nSearched in:{searched}") };
    Failure::message(format!(
        "Could not find or access '{name}'{searched} on the Ansible Controller.\nIf you are using a module and expect the file \
         to exist on the remote, see the remote_src option"
    ))
}

/// A file's bytes, in clear.
pub(crate) fn read(invocation: &Invocation<'_>, path: &Utf8Path, decrypt: bool) -> Result<Vec<u8>, Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::message(format!("could not find src={path}, {error}")))?;
    if decrypt && bytes.starts_with(b"$ANSIBLE_VAULT;") { invocation.context.decrypt(&bytes, path) } else { Ok(bytes) }
}

/// A file's permissions, for `mode: preserve`.
pub(crate) fn mode_of(path: &Utf8Path) -> Result<u32, Failure> {
    let metadata = std::fs::metadata(path)
        .map_err(|error| Failure::message(format!("could not read the mode of src={path}, {error}")))?;
    Ok(metadata.permissions().mode() & 0o7777)
}

//! Encrypted files, and encrypted values in files.

use super::users::Users;
use camino::{Utf8Path, Utf8PathBuf};
use vault::{Envelope, Header, Secrets};

/// Something encrypted.
pub(super) struct Encrypted {
    pub(super) file: Utf8PathBuf,
    /// Where in the file, if only a value of it is encrypted.
    pub(super) line: Option<u32>,
    /// What that value is called.
    pub(super) name: Option<String>,
    /// `None` when it is damaged.
    pub(super) format: Option<String>,
    pub(super) label: Option<String>,
    pub(super) used_by: Vec<String>,
    /// `None` when there is no password.
    pub(super) opens: Option<bool>,
    /// Why it does not open.
    pub(super) problem: Option<String>,
}

/// What is encrypted in a file: itself, or values in it.
pub(super) fn of_file(
    path: &Utf8Path,
    shown: &Utf8Path,
    bytes: &[u8],
    secrets: &Secrets,
    users: &Users,
) -> Vec<Encrypted> {
    let used_by = users.of(path);
    if vault::has_header(bytes) {
        return vec![Encrypted { used_by, ..read(shown, bytes, secrets) }];
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return Vec::new() };
    let is_yaml = matches!(path.extension(), None | Some("yml" | "yaml"));
    let values = if is_yaml { vault::find_inline(text) } else { Vec::new() };
    let value = |value: vault::InlineValue| Encrypted {
        line: Some(value.line),
        name: value.name,
        used_by: used_by.clone(),
        ..read(shown, value.envelope.as_bytes(), secrets)
    };
    values.into_iter().map(value).collect()
}

fn read(file: &Utf8Path, bytes: &[u8], secrets: &Secrets) -> Encrypted {
    let envelope = Envelope::parse(bytes);
    let failure = match &envelope {
        Ok(envelope) if !secrets.is_empty() => secrets.open(envelope).err().map(|error| error.to_string()),
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    };
    Encrypted {
        file: file.to_owned(),
        line: None,
        name: None,
        format: envelope.as_ref().ok().map(|envelope| envelope.version().to_string()),
        label: Header::parse(bytes).ok().and_then(|header| header.label),
        used_by: Vec::new(),
        opens: (!secrets.is_empty()).then_some(failure.is_none()),
        problem: failure,
    }
}

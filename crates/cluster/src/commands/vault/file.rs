//! The files that `cluster vault` works on: paths, services by name, or standard input and output.

use crate::config;
use crate::context::{Context, environment};
use crate::exit::{Failure, Result, boxed};
use camino::{Utf8Path, Utf8PathBuf};
use catalog::Service;
use diagnostic::Exit;
use std::fs::Permissions;
use std::io::{IsTerminal, Read};
use std::os::unix::fs::PermissionsExt;
use vault::{Decrypted, Password, Plaintext, Secrets};

/// Stands for standard input or output, as with `ansible-vault`.
pub(super) const STREAM: &str = "-";

/// A file, and the service whose encrypted configuration it is if it was named by that.
pub(super) struct Named {
    pub(super) path: Utf8PathBuf,
    pub(super) service: Option<Service>,
}

/// A service's name means its `cfg.enc`; everything else is a path. What exists as a file is that file.
pub(super) fn named(name: &Utf8Path, context: &Context) -> Result<Named> {
    let is_path = name.as_str().contains('/') || name.is_file();
    let is_service = |root: Utf8PathBuf| root.join("build/playbooks").join(name).join("service.yml").is_file();
    let is_service = !is_path && context.root().is_ok_and(is_service);
    let service = if is_service { Some(context.catalog()?.find(name.as_str()).map_err(boxed)?.clone()) } else { None };
    match service {
        None => Ok(Named { path: name.to_owned(), service: None }),
        Some(service) if service.vault => {
            let path = config::shown(&service.encrypted_config());
            Ok(Named { path, service: Some(service) })
        }
        Some(service) => Err(Failure::usage(format!("service `{}` has no encrypted configuration", service.name))
            .hinted(format!(
                "write `vault: true` into {} if it needs one",
                config::shown(&service.folder.join("service.yml"))
            ))
            .into()),
    }
}

/// The bytes of a file, or of standard input.
pub(super) fn read(path: &Utf8Path) -> Result<Plaintext> {
    read_or(path, |failure| failure)
}

/// The bytes of an encrypted file that the user called `name`.
pub(super) fn read_encrypted(path: &Utf8Path, name: &Utf8Path) -> Result<Plaintext> {
    read_or(path, |missing| missing.hinted(format!("make it with `cluster vault create {name}`")))
}

fn read_or(path: &Utf8Path, missing: impl FnOnce(Failure) -> Failure) -> Result<Plaintext> {
    let mut bytes = Vec::new();
    let read = if path == STREAM {
        std::io::stdin().lock().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    // Wrapped even when it ends early: what was read may be a secret.
    let bytes = Plaintext::new(bytes);
    match read {
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(missing(Failure::usage(format!("`{path}` does not exist"))).into())
        }
        Err(error) => Err(Failure::usage(format!("`{path}` can not be read")).because(error).into()),
    }
}

/// Tells a person at a terminal that standard input is read.
pub(super) fn announce_stdin(path: &Utf8Path, what: &str, context: &Context) {
    if path == STREAM && std::io::stdin().is_terminal() {
        context.output.log(&format!("Reading {what} from standard input; end it with Ctrl-D"));
    }
}

/// What a file holds, decrypted, and with which password.
pub(super) fn decrypt<'s>(path: &Utf8Path, bytes: &[u8], secrets: &'s Secrets) -> Result<Decrypted<'s>> {
    if !vault::has_header(bytes) {
        return Err(Failure::usage(format!("`{path}` is not encrypted")).into());
    }
    secrets.decrypt(bytes).map_err(|error| boxed(error.in_file(path.as_str())))
}

/// Writes the whole or nothing: an existing file keeps its mode and owner, a new one is for its owner alone.
pub(super) fn write(path: &Utf8Path, bytes: &[u8], context: &Context) -> Result<()> {
    if path == STREAM {
        context.output.bytes(bytes);
        return Ok(());
    }
    vault::write_atomically(path.as_std_path(), bytes, 0o600).map_err(boxed)
}

/// The same for a plaintext, which from then on only its owner reads, as `ansible-vault decrypt` leaves it.
pub(super) fn write_plaintext(path: &Utf8Path, bytes: &[u8], context: &Context) -> Result<()> {
    if let Some(found) = std::fs::metadata(path).ok().filter(|found| path != STREAM && found.is_file()) {
        // Before the content changes, so that nobody reads it in between.
        let private = Permissions::from_mode(found.permissions().mode() & 0o600);
        std::fs::set_permissions(path, private)
            .map_err(|error| failed(format!("`{path}` can not be made private"), error))?;
    }
    write(path, bytes, context)
}

/// The password to encrypt with: the wanted label's, else the only one there is.
pub(super) fn encrypting<'s>(secrets: &'s Secrets, wanted: Option<&str>) -> Result<(&'s str, &'s Password)> {
    let by_environment = environment("ANSIBLE_VAULT_ENCRYPT_IDENTITY");
    secrets.encrypting(wanted.or(by_environment.as_deref())).map_err(boxed)
}

/// Encrypted bytes for a file.
pub(super) fn encrypt(plaintext: &[u8], password: &Password, label: Option<&str>) -> Result<Vec<u8>> {
    vault::encrypt(plaintext, password, label).map(String::into_bytes).map_err(boxed)
}

/// Several inputs can't go into one output.
pub(super) fn one_output(files: &[Utf8PathBuf], output: Option<&Utf8PathBuf>) -> Result<()> {
    match output {
        Some(_) if files.len() > 1 => Err(Failure::usage("`--output-file` takes one file, several are named").into()),
        _ => Ok(()),
    }
}

/// Tells what was done, on standard error.
pub(super) fn done(context: &Context, text: &str) {
    context.output.note(text);
}

/// A failure of the surroundings.
pub(super) fn failed(message: impl Into<String>, error: std::io::Error) -> crate::exit::Error {
    Failure::new(Exit::Failed, message).because(error).into()
}

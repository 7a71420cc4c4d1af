//! What is encrypted: the password is asked for once, before any connection, and tried on every file that the run needs.

use super::args::Args;
use super::locate::Item;
use crate::config;
use crate::context::Context;
use crate::exit::{Result, boxed};
use crate::service_config;
use camino::Utf8PathBuf;
use diagnostic::{Mistake, Mistakes};
use vault::Secrets;

/// An encrypted file of a service.
struct File<'a> {
    item: &'a Item,
    path: Utf8PathBuf,
    kind: Kind,
}

/// What an encrypted file is to its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `cfg.enc`, which becomes a Secret.
    Config,
    /// `values.yml.enc`, which is laid over `values.yml`.
    Values,
}

/// Finds what is wrong with any of the files, all at once. Of all services, those that nobody configured yet will not be run.
pub(super) fn check(context: &Context, args: &Args, items: &[Item]) -> Result<()> {
    let will_run = |item: &&Item| !args.all || unconfigured(item).is_none();
    let files: Vec<_> = items.iter().filter(will_run).flat_map(files).collect();
    let mut mistakes = Mistakes::new();
    files.iter().for_each(|file| mistakes.extend(obstacle(file)));
    mistakes.into_result().map_err(boxed)?;
    let Some(first) = files.first() else { return Ok(()) };
    let secrets = context.passwords()?.needed_for(&config::shown(&first.path))?;
    let mut mistakes = Mistakes::new();
    for file in &files {
        if let Err(found) = open(file, &secrets, context) {
            mistakes.extend(found);
        }
    }
    mistakes.into_result().map_err(boxed)
}

fn files(item: &Item) -> impl Iterator<Item = File<'_>> {
    let config = item.service.vault.then(|| (item.service.encrypted_config(), Kind::Config));
    let values = Some((item.service.encrypted_values(), Kind::Values)).filter(|(path, _)| path.exists());
    config.into_iter().chain(values).map(move |(path, kind)| File { item, path, kind })
}

/// What stands in the way before a password is of any use.
fn obstacle(file: &File<'_>) -> Option<Mistake> {
    let path = config::shown(&file.path);
    if !file.path.exists() {
        return Some(missing(file.item));
    }
    let bytes = match std::fs::read(&file.path) {
        Ok(bytes) => bytes,
        Err(error) => return Some(Mistake::new(format!("`{path}` can not be read: {error}"))),
    };
    if !vault::has_header(&bytes) {
        let mistake = Mistake::new(format!("`{path}` is not encrypted"));
        return Some(mistake.hinted(format!("run `cluster vault encrypt {path}`")));
    }
    // What is damaged no password opens.
    vault::Envelope::parse(&bytes).err().map(|error| Mistake::of(&error.in_file(path.as_str())))
}

/// That nobody made a service's `cfg.enc` yet, if that is so.
pub(super) fn unconfigured(item: &Item) -> Option<Mistake> {
    (item.service.vault && !item.service.encrypted_config().exists()).then(|| missing(item))
}

fn with_way_out(mistakes: Mistakes, item: &Item) -> Mistakes {
    let mut hinted = Mistakes::new();
    let edit = format!("run `cluster vault edit {}`", item.service.name);
    hinted.extend(mistakes.into_iter().map(|mistake| mistake.hinted(edit.clone())));
    hinted
}

fn missing(item: &Item) -> Mistake {
    let (path, name) = (config::shown(&item.service.encrypted_config()), &item.service.name);
    let mistake = Mistake::new(format!("service `{name}` needs `{path}`, which does not exist"));
    mistake.hinted(format!("make it with `cluster vault create {name}`"))
}

fn open(file: &File<'_>, secrets: &Secrets, context: &Context) -> std::result::Result<(), Mistakes> {
    let path = config::shown(&file.path);
    let bytes =
        std::fs::read(&file.path).map_err(|error| Mistake::new(format!("`{path}` can not be read: {error}")))?;
    let decrypted = secrets.decrypt(&bytes).map_err(|error| Mistake::of(&error.in_file(path.as_str())))?;
    let text = std::str::from_utf8(&decrypted.plaintext)
        .map_err(|_| Mistake::new(format!("what `{path}` decrypts to is no UTF-8")))?;
    match file.kind {
        Kind::Config => {
            let found = service_config::read(&path, text).map_err(|mistakes| with_way_out(mistakes, file.item))?;
            found.hush(context.output.redactor());
            found.complete(&file.item.service)
        }
        Kind::Values => {
            let edit = format!("run `cluster vault edit {path}`");
            service_config::check_values(&path, text).map_err(|mistake| mistake.hinted(edit).into())
        }
    }
}

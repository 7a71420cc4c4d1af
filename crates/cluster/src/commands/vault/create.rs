//! `cluster vault create`

use super::{editor, example, file};
use crate::context::Context;
use crate::exit::{Code, Failure, Result};
use camino::{Utf8Path, Utf8PathBuf};
use vault::Plaintext;

/// Make an encrypted file in your editor.
///
/// For a service the editor opens with the keys of its `cfg.example.yml`.
///
/// Examples:
///   cluster vault create mercure
///   cluster vault create group_vars/all/secrets.yml --vault-id prod@prompt
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The file, or a service for its cfg.enc
    #[arg(value_name = "FILE")]
    file: Utf8PathBuf,

    /// The label of the password to encrypt with, where several are given
    #[arg(long, value_name = "LABEL")]
    encrypt_vault_id: Option<String>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    let named = file::named(&args.file, context)?;
    let path = &named.path;
    if path.exists() {
        let name = &args.file;
        let hint = format!("change it with `cluster vault edit {name}`");
        return Err(Failure::usage(format!("`{path}` exists already")).hinted(hint).into());
    }
    let example = named.service.as_ref().map(example::read).transpose()?.unwrap_or_else(|| Plaintext::new(Vec::new()));
    let secrets = context.passwords()?.for_encryption()?;
    let (label, password) = file::encrypting(&secrets, args.encrypt_vault_id.as_deref())?;
    folder_of(path)?;
    editor::edit(path, &example, context, |written| {
        if !example.is_empty() && **written == *example {
            let failure = Failure::usage(format!("the example was left as it is, so `{path}` was not made"));
            return Err(failure.hinted("run it again, fill in the keys and save").into());
        }
        file::write(path, &file::encrypt(written, password, Some(label))?, context)?;
        file::done(context, &format!("{path}: encrypted"));
        if let Some(service) = &named.service {
            example::compare(service, written, context);
        }
        Ok(())
    })?;
    Ok(Code::DONE)
}

/// Made before anything is typed, as by `ansible-vault create`.
fn folder_of(path: &Utf8Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    std::fs::create_dir_all(folder)
        .map_err(|error| file::failed(format!("the folder `{folder}` can not be made"), error))
}

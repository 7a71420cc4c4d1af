//! `cluster vault edit`

use super::file::Named;
use super::{editor, example, file};
use crate::context::Context;
use crate::exit::{Code, Result};
use camino::Utf8PathBuf;
use vault::{Decrypted, Plaintext, Secrets};

/// Change encrypted files in your editor.
///
/// The editor (EDITOR, else vi) sees a file that only you can read, in memory where the system offers that; it goes away on every way out.
/// A file that you leave as it was keeps its bytes.
///
/// Examples:
///   cluster vault edit mercure
///   EDITOR='code --wait' cluster vault edit group_vars/all/secrets.yml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Files, or services for their cfg.enc
    #[arg(required = true, value_name = "FILE")]
    files: Vec<Utf8PathBuf>,

    /// Encrypt with the password of this label instead of the one that the file has
    #[arg(long, value_name = "LABEL")]
    encrypt_vault_id: Option<String>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    let secrets = context.passwords()?.needed()?;
    for name in &args.files {
        let named = file::named(name, context)?;
        let path = &named.path;
        let bytes = file::read_encrypted(path, name)?;
        let decrypted = file::decrypt(path, &bytes, &secrets)?;
        editor::edit(path, &decrypted.plaintext, context, |edited| {
            save(args, &named, &secrets, &decrypted, edited, context)
        })?;
    }
    Ok(Code::DONE)
}

fn save(
    args: &Args,
    named: &Named,
    secrets: &Secrets,
    before: &Decrypted<'_>,
    edited: &Plaintext,
    context: &Context,
) -> Result<()> {
    let path = &named.path;
    if **edited == *before.plaintext && args.encrypt_vault_id.is_none() {
        file::done(context, &format!("{path}: unchanged"));
        return Ok(());
    }
    // The file keeps its label, or that it has none, whatever the password's label is here.
    let (label, password) = match &args.encrypt_vault_id {
        Some(wanted) => file::encrypting(secrets, Some(wanted)).map(|(label, password)| (Some(label), password))?,
        None => (before.header_label.as_deref(), before.password),
    };
    file::write(path, &file::encrypt(edited, password, label)?, context)?;
    file::done(context, &format!("{path}: encrypted again"));
    if let Some(service) = &named.service {
        example::compare(service, edited, context);
    }
    Ok(())
}

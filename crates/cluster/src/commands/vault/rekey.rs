//! `cluster vault rekey`

use super::file;
use crate::context::Context;
use crate::exit::boxed;
use crate::exit::{Code, Result};
use crate::passwords;
use camino::Utf8PathBuf;
use vault::{Purpose, Source};

/// Encrypt files with another password.
///
/// All files are read and decrypted before the first is written.
///
/// Examples:
///   cluster vault rekey build/playbooks/*/cfg.enc
///   cluster vault rekey mercure --new-vault-password-file ~/.new-password
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Files, or services for their cfg.enc
    #[arg(required = true, value_name = "FILE")]
    files: Vec<Utf8PathBuf>,

    /// The new password, and the label that the files are to have: LABEL@SOURCE
    #[arg(long, value_name = "LABEL@SOURCE", conflicts_with = "new_vault_password_file")]
    new_vault_id: Option<String>,

    /// File with the new password, or a program that prints it
    #[arg(long, value_name = "FILE")]
    new_vault_password_file: Option<Utf8PathBuf>,

    /// The label of the new password, where several are known
    #[arg(long, value_name = "LABEL")]
    encrypt_vault_id: Option<String>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    let secrets = context.passwords()?.needed()?;
    let mut opened = Vec::new();
    for name in &args.files {
        let path = file::named(name, context)?.path;
        let bytes = file::read_encrypted(&path, name)?;
        let plaintext = file::decrypt(&path, &bytes, &secrets)?.plaintext;
        opened.push((path, plaintext));
    }
    let new = passwords::load(&[new_source(args)?], Purpose::New, &context.output)?;
    let (label, password) = file::encrypting(&new, args.encrypt_vault_id.as_deref())?;
    for (path, plaintext) in &opened {
        file::write(path, &file::encrypt(plaintext, password, Some(label))?, context)?;
        file::done(context, &format!("{path}: has the new password"));
    }
    Ok(Code::DONE)
}

fn new_source(args: &Args) -> Result<Source> {
    match (&args.new_vault_id, &args.new_vault_password_file) {
        (Some(id), _) => Source::parse(id).map_err(boxed),
        (None, Some(file)) => Ok(Source::file(file.as_str())),
        (None, None) => Ok(Source::ask()),
    }
}

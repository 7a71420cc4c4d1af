//! `cluster vault view`

use super::file;
use crate::context::Context;
use crate::exit::{Code, Result};
use camino::Utf8PathBuf;

/// Show what is in encrypted files.
///
/// Examples:
///   cluster vault view mercure
///   cluster vault view group_vars/all/secrets.yml --vault-password-file ~/.vault-password
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Files, or services for their cfg.enc; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<Utf8PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    let secrets = context.passwords()?.needed()?;
    for name in &args.files {
        let path = file::named(name, context)?.path;
        let bytes = file::read_encrypted(&path, name)?;
        context.output.bytes(&file::decrypt(&path, &bytes, &secrets)?.plaintext);
    }
    Ok(Code::DONE)
}

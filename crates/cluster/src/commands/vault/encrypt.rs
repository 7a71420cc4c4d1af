//! `cluster vault encrypt`

use super::file::{self, STREAM};
use crate::context::Context;
use crate::exit::{Code, Failure, Result};
use camino::Utf8PathBuf;

/// Encrypt files where they stand, or standard input to standard output.
///
/// Examples:
///   cluster vault encrypt group_vars/all/secrets.yml
///   cluster vault encrypt notes.txt --output-file notes.enc
///   printf %s "$TOKEN" | cluster vault encrypt > token.enc
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Files; none or `-` is standard input
    #[arg(default_value = STREAM, hide_default_value = true, value_name = "FILE")]
    files: Vec<Utf8PathBuf>,

    /// Write here instead; `-` is standard output
    #[arg(long, value_name = "FILE")]
    output_file: Option<Utf8PathBuf>,

    /// The label of the password to encrypt with, where several are given
    #[arg(long, value_name = "LABEL")]
    encrypt_vault_id: Option<String>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    file::one_output(&args.files, args.output_file.as_ref())?;
    let secrets = context.passwords()?.for_encryption()?;
    let (label, password) = file::encrypting(&secrets, args.encrypt_vault_id.as_deref())?;
    for path in &args.files {
        file::announce_stdin(path, "plaintext", context);
        let bytes = file::read(path)?;
        if vault::has_header(&bytes) {
            let failure = Failure::usage(format!("`{path}` is encrypted already"));
            return Err(failure.hinted(format!("change its password with `cluster vault rekey {path}`")).into());
        }
        let encrypted = file::encrypt(&bytes, password, Some(label))?;
        let target = args.output_file.as_ref().unwrap_or(path);
        file::write(target, &encrypted, context)?;
        if target != STREAM {
            file::done(context, &format!("{target}: encrypted"));
        }
    }
    Ok(Code::DONE)
}

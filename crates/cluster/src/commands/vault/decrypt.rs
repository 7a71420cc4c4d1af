//! `cluster vault decrypt`

use super::file::{self, STREAM};
use crate::context::Context;
use crate::exit::{Code, Result};
use camino::Utf8PathBuf;

/// Decrypt files where they stand, or standard input to standard output.
///
/// Examples:
///   cluster vault decrypt notes.enc --output-file -
///   cluster vault decrypt < token.enc
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Files, or services for their cfg.enc; none or `-` is standard input
    #[arg(default_value = STREAM, hide_default_value = true, value_name = "FILE")]
    files: Vec<Utf8PathBuf>,

    /// Write here instead; `-` is standard output
    #[arg(long, value_name = "FILE")]
    output_file: Option<Utf8PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    file::one_output(&args.files, args.output_file.as_ref())?;
    let secrets = context.passwords()?.needed()?;
    for name in &args.files {
        let path = file::named(name, context)?.path;
        file::announce_stdin(&path, "ciphertext", context);
        let bytes = file::read_encrypted(&path, name)?;
        let decrypted = file::decrypt(&path, &bytes, &secrets)?;
        let target = args.output_file.as_ref().unwrap_or(&path);
        file::write_plaintext(target, &decrypted.plaintext, context)?;
        if target != STREAM {
            file::done(context, &format!("{target}: decrypted, its secrets stand in it in clear"));
        }
    }
    Ok(Code::DONE)
}

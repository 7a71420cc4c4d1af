//! `cluster vault encrypt-string`

use super::file::{self, STREAM};
use crate::context::Context;
use crate::exit::{Code, Failure, Result, boxed};
use crate::prompt;
use camino::{Utf8Path, Utf8PathBuf};
use vault::Plaintext;

/// Encrypt one value, to be pasted into a YAML file.
///
/// The value comes from standard input, or is asked for without echo: on the command line every user of the machine could read it.
///
/// Examples:
///   cluster vault encrypt-string --name db_password --prompt
///   printf %s "$TOKEN" | cluster vault encrypt-string --name api_token >> group_vars/all/secrets.yml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Only `-` for standard input, which is the default
    #[arg(value_name = "-")]
    value: Vec<String>,

    /// The variable's name
    #[arg(short, long, alias = "stdin-name", value_name = "NAME")]
    name: Option<String>,

    /// Ask for the value, without echo
    #[arg(short, long)]
    prompt: bool,

    /// Write here instead of standard output
    #[arg(long, value_name = "FILE")]
    output_file: Option<Utf8PathBuf>,

    /// The label of the password to encrypt with, where several are given
    #[arg(long, value_name = "LABEL")]
    encrypt_vault_id: Option<String>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    if args.value.iter().any(|value| value != STREAM) {
        return Err(Failure::usage("a value on the command line would show it to every user of this machine")
            .hinted("give it on standard input, or use `--prompt`")
            .into());
    }
    let secrets = context.passwords()?.for_encryption()?;
    let (label, password) = file::encrypting(&secrets, args.encrypt_vault_id.as_deref())?;
    let value = value(args, context)?;
    let envelope = vault::encrypt(&value, password, Some(label)).map_err(boxed)?;
    let inline = vault::to_inline(&envelope, args.name.as_deref());
    let target = args.output_file.as_deref().unwrap_or(Utf8Path::new(STREAM));
    file::write(target, format!("{inline}\n").as_bytes(), context)?;
    Ok(Code::DONE)
}

fn value(args: &Args, context: &Context) -> Result<Plaintext> {
    let value = if args.prompt {
        let hint = "give the value on standard input, or run this in a terminal";
        let typed = prompt::secret("String to encrypt (hidden): ", "the value", hint)?;
        Plaintext::new(typed.reveal().clone().into_bytes())
    } else {
        let stdin = Utf8Path::new(STREAM);
        file::announce_stdin(stdin, "the value", context);
        file::read(stdin)?
    };
    if value.is_empty() {
        return Err(Failure::usage("the value is empty").hinted("give it on standard input, or use `--prompt`").into());
    }
    Ok(value)
}

//! `cluster vault`

mod create;
mod decrypt;
mod edit;
mod editor;
mod encrypt;
mod encrypt_string;
mod example;
mod file;
mod rekey;
mod status;
mod view;

use crate::context::Context;
use crate::exit::{Code, Result};
use clap::Subcommand;

/// Make, read and change encrypted files, byte for byte as ansible-vault does.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Create(create::Args),
    Edit(edit::Args),
    View(view::Args),
    Encrypt(encrypt::Args),
    Decrypt(decrypt::Args),
    #[command(alias = "encrypt_string")]
    EncryptString(encrypt_string::Args),
    Rekey(rekey::Args),
    Status(status::Args),
}

pub(crate) fn run(command: Command, context: &Context) -> Result<Code> {
    match command {
        Command::Create(args) => create::run(&args, context),
        Command::Edit(args) => edit::run(&args, context),
        Command::View(args) => view::run(&args, context),
        Command::Encrypt(args) => encrypt::run(&args, context),
        Command::Decrypt(args) => decrypt::run(&args, context),
        Command::EncryptString(args) => encrypt_string::run(&args, context),
        Command::Rekey(args) => rekey::run(&args, context),
        Command::Status(args) => status::run(&args, context),
    }
}

//! Ansible Vault 1.1 and 1.2, read and written as `ansible-vault` of ansible-core 2.19 does it, without Python: the
//! envelope, passwords and where they come from, inline `!vault` values, and writing files so that a crash leaves the old
//! or the new one. Keys, passwords and plaintext are wiped from memory when they are dropped, and never shown.
//!
//! ```
//! # fn main() -> Result<(), vault::Error> {
//! let mut secrets = vault::Secrets::new();
//! secrets.add("prod", vault::Password::new(b"correct horse".to_vec())?)?;
//! let (label, password) = secrets.encrypting(None)?;
//! let text = vault::encrypt(b"db_password: hunter2\n", password, Some(label))?;
//! assert!(text.starts_with("$ANSIBLE_VAULT;1.2;AES256;prod\n"));
//! assert_eq!(&*secrets.decrypt(text.as_bytes())?.plaintext, b"db_password: hunter2\n");
//! # Ok(())
//! # }
//! ```
//!
//! Differences from Ansible: a version that is neither 1.1 nor 1.2 is refused, which Ansible does not look at; passwords
//! under the label that the data names are tried first, whatever their order, which is quicker and finds the same.

mod cipher;
mod envelope;
mod error;
mod header;
mod hex;
mod inline;
mod password;
mod path;
mod plaintext;
mod program;
pub mod scan;
mod secrets;
mod source;
mod write;

#[cfg(test)]
mod properties;

pub use envelope::{Envelope, encrypt, encrypt_with_salt};
pub use error::{Error, Place};
pub use header::{Header, Version, has_header, is_encrypted};
pub use inline::{INDENT, InlineValue, find_inline, from_inline, to_inline};
pub use password::Password;
pub use plaintext::Plaintext;
pub use scan::names_a_secret;
pub use secrets::{Decrypted, Secrets};
pub use source::{Ask, Origin, Purpose, Source};
pub use write::write_atomically;

/// The label of a password for which none is given (`DEFAULT_VAULT_IDENTITY`).
pub const DEFAULT_LABEL: &str = "default";

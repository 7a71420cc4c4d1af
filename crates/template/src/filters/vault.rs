//! `vault` and `unvault`: Ansible Vault inside templates. What was decrypted is a secret.
//!
//! Difference from ansible-core 2.19: `wrap_object` is not offered, and `unvault` takes ciphertext as text only.

use super::registry::{Filter, plain};
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, text};
use ::vault::{Envelope, Password};

pub(super) const FILTERS: &[(&str, Filter)] = &[("unvault", plain(unvault)), ("vault", plain(vault))];

/// The label when none is given, which stands in the header.
const LABEL: &str = "filter_default";

fn vault(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [data, secret, salt, label, wrap, old_label] =
        args.bind(["data", "secret", "salt", "vault_id", "wrap_object", "vaultid"])?;
    if wrap.flag_or(false)? {
        return Err(Error::operation("`wrap_object` is not supported"));
    }
    let data = string(data, "data", "Can only vault strings, instead we got")?;
    let password = password(secret)?;
    let label = label.given().or(old_label.given()).text_or(LABEL)?;
    let label = Some(label.as_str()).filter(|label| !label.is_empty());
    let encrypted = match salt.given() {
        Some(salt) => ::vault::encrypt_with_salt(data.as_bytes(), &password, label, text(&salt)?.as_bytes()),
        None => ::vault::encrypt(data.as_bytes(), &password, label),
    };
    encrypted.map(Value::from).map_err(|error| Error::operation(error.to_string()))
}

fn unvault(exec: &mut Exec, args: Args) -> Result<Value, Error> {
    let [data, secret, _, _] = args.bind(["vault", "secret", "vault_id", "vaultid"])?;
    let password = password(secret)?;
    let data = string(data, "vault", "Vault should be in the form of a string, instead we got")?;
    if !::vault::is_encrypted(data.as_bytes()) {
        return Ok(Value::from(data));
    }
    let clear = Envelope::parse(data.as_bytes()).and_then(|envelope| envelope.decrypt(&password));
    let clear = clear.map_err(|error| Error::operation(error.to_string()))?;
    let value = Value::from(clear.text().map_err(|error| Error::operation(error.to_string()))?);
    exec.session.secret(&value);
    Ok(value)
}

fn password(secret: Option<Value>) -> Result<Password, Error> {
    let secret = string(secret, "secret", "Secret passed is required to be a string, instead we got")?;
    Password::new(secret.into_bytes()).map_err(|error| Error::operation(error.to_string()))
}

fn string(value: Option<Value>, name: &str, complaint: &str) -> Result<String, Error> {
    match value.need(name)? {
        Value::Str(text) => Ok(text.to_string()),
        other => Err(Error::operation(format!("{complaint}: {}", other.type_name()))),
    }
}

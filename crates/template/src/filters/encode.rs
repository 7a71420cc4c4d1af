//! Base64, hashes, UUIDs and shell quoting.

use super::registry::{Filter, plain};
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, text};
use data_encoding::{BASE64, BASE64URL, HEXLOWER};
use sha1::Digest;

pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("b64decode", plain(b64decode)),
    ("b64encode", plain(b64encode)),
    ("checksum", plain(|_, args| fixed(args, "sha1"))),
    ("hash", plain(hash)),
    ("md5", plain(|_, args| fixed(args, "md5"))),
    ("quote", plain(quote)),
    ("sha1", plain(|_, args| fixed(args, "sha1"))),
    ("to_uuid", plain(to_uuid)),
];

fn b64encode(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, encoding, urlsafe] = args.bind(["string", "encoding", "urlsafe"])?;
    let value = text(&value.need("string")?)?;
    let bytes = match encoding.text_or("utf-8")?.to_lowercase().as_str() {
        "utf-8" | "utf8" | "ascii" => value.into_bytes(),
        // PowerShell's -EncodedCommand.
        "utf-16-le" => value.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "latin-1" | "iso-8859-1" => value.chars().map(|c| u8::try_from(c as u32).unwrap_or(b'?')).collect(),
        other => return Err(Error::operation(format!("unknown encoding: {other}"))),
    };
    Ok(Value::from(if urlsafe.flag_or(false)? { BASE64URL.encode(&bytes) } else { BASE64.encode(&bytes) }))
}

fn b64decode(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, encoding, urlsafe] = args.bind(["string", "encoding", "urlsafe"])?;
    let value = text(&value.need("string")?)?;
    // Python skips what is not in the alphabet.
    let kept: String =
        value.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=')).collect();
    let decoded =
        if urlsafe.flag_or(false)? { BASE64URL.decode(kept.as_bytes()) } else { BASE64.decode(kept.as_bytes()) };
    let bytes = decoded.map_err(|error| Error::operation(format!("the text is no base64: {error}")))?;
    let decoded = match encoding.text_or("utf-8")?.to_lowercase().as_str() {
        "utf-16-le" => {
            let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        "latin-1" | "iso-8859-1" => bytes.iter().map(|byte| char::from(*byte)).collect(),
        _ => String::from_utf8(bytes).map_err(|_| Error::operation("the decoded bytes are no UTF-8 text"))?,
    };
    Ok(Value::from(decoded))
}

fn fixed(args: Args, algorithm: &str) -> Result<Value, Error> {
    let [value] = args.bind(["data"])?;
    digest(&text(&value.need("data")?)?, algorithm)
}

fn hash(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, algorithm] = args.bind(["data", "hashtype"])?;
    digest(&text(&value.need("data")?)?, &algorithm.text_or("sha1")?)
}

fn digest(text: &str, algorithm: &str) -> Result<Value, Error> {
    let bytes = text.as_bytes();
    Ok(Value::from(match algorithm.to_lowercase().as_str() {
        "md5" => HEXLOWER.encode(&md5::Md5::digest(bytes)),
        "sha1" => HEXLOWER.encode(&sha1::Sha1::digest(bytes)),
        "sha224" => HEXLOWER.encode(&sha2::Sha224::digest(bytes)),
        "sha256" => HEXLOWER.encode(&sha2::Sha256::digest(bytes)),
        "sha384" => HEXLOWER.encode(&sha2::Sha384::digest(bytes)),
        "sha512" => HEXLOWER.encode(&sha2::Sha512::digest(bytes)),
        other => return Err(Error::operation(format!("unsupported hash type {other}"))),
    }))
}

/// Ansible's own namespace (ansible-core, `UUID_NAMESPACE_ANSIBLE`).
const NAMESPACE: &str = "361E6D51-FAEC-444A-9079-341386DA8E2E";

fn to_uuid(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, namespace] = args.bind(["string", "namespace"])?;
    let name = text(&value.need("string")?)?;
    let namespace = namespace.text_or(NAMESPACE)?;
    let namespace = uuid::Uuid::parse_str(&namespace)
        .map_err(|error| Error::operation(format!("Invalid value '{namespace}' for 'namespace': {error}")))?;
    // Version 5 (RFC 9562, section 5.5): SHA-1 over namespace and name.
    let mut hasher = sha1::Sha1::new();
    hasher.update(namespace.as_bytes());
    hasher.update(name.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Ok(Value::from(uuid::Uuid::from_bytes(bytes).to_string()))
}

fn quote(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value] = args.bind(["a"])?;
    let text = match value.need("a")? {
        Value::None => String::new(),
        value => text(&value)?,
    };
    Ok(Value::from(shell_quote(&text)))
}

/// Python's `shlex.quote`: single quotes unless every character is plain.
pub(crate) fn shell_quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

//! The first line of encrypted data: `$ANSIBLE_VAULT;1.2;AES256;prod`.

use crate::error::Place;
use crate::password::{is_line_end, is_python_space, trim};
use crate::{DEFAULT_LABEL, Error, cipher};
use std::fmt;

/// What all encrypted data begins with.
const MAGIC: &[u8] = b"$ANSIBLE_VAULT";

/// Whether Ansible takes this for encrypted data: it begins with the header, and all of it is ASCII.
pub fn is_encrypted(data: &[u8]) -> bool {
    has_header(data) && data.is_ascii()
}

/// Whether it begins like encrypted data, whatever follows: a damaged file is one, too.
pub fn has_header(data: &[u8]) -> bool {
    data.starts_with(MAGIC)
}

/// The version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// Without a label.
    V1_1,
    /// With the label of the password.
    V1_2,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1_1 => "1.1",
            Self::V1_2 => "1.2",
        })
    }
}

/// What the first line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The version of the format.
    pub version: Version,
    /// The cipher, always `AES256`.
    pub cipher: String,
    /// The label of the password, if it has one. Only a name: nothing protects it from being changed.
    pub label: Option<String>,
}

impl Header {
    /// Reads the first line of encrypted data; what follows may be missing.
    ///
    /// # Errors
    /// It is no such line, or names a version or cipher that does not exist.
    pub fn parse(data: &[u8]) -> Result<Self, Error> {
        split(data).map(|(header, _)| header)
    }

    /// The header that Ansible writes: the label `default` is left out, and 1.1 is the format without a label.
    pub(crate) fn for_label(label: Option<&str>) -> Result<Self, Error> {
        let label = label.filter(|label| !label.is_empty() && *label != DEFAULT_LABEL);
        if let Some(label) = label {
            check_label(label)?;
        }
        let version = if label.is_some() { Version::V1_2 } else { Version::V1_1 };
        Ok(Self { version, cipher: cipher::NAME.to_owned(), label: label.map(str::to_owned) })
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$ANSIBLE_VAULT;{};{}", self.version, self.cipher)?;
        match &self.label {
            Some(label) => write!(f, ";{label}"),
            None => Ok(()),
        }
    }
}

/// What can stand in the header and be found there again: ASCII, since other data is not taken for encrypted.
pub(crate) fn check_label(label: &str) -> Result<(), Error> {
    let why = if label.contains(';') {
        "`;` separates the parts of the header"
    } else if !label.is_ascii() || label.contains(|character: char| character.is_ascii_control()) {
        "it stands in the header, which is one line of ASCII"
    } else if label.trim() != label {
        "blanks at its ends would be lost in the header"
    } else {
        return Ok(());
    };
    Err(Error::Label { label: label.to_owned(), why })
}

/// The header, and everything after its line.
pub(crate) fn split(data: &[u8]) -> Result<(Header, &[u8]), Error> {
    if !has_header(data) {
        return Err(Error::NotEncrypted { after: before_header(data) });
    }
    let end = data.iter().position(|byte| is_line_end(*byte)).unwrap_or(data.len());
    let (line, body) = data.split_at(end);
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b';').collect();
    let field = |index: usize| -> Result<Option<(&str, Place)>, Error> {
        let Some(raw) = fields.get(index) else { return Ok(None) };
        let before: usize = fields[..index].iter().map(|field| field.len() + 1).sum();
        let leading = raw.iter().take_while(|byte| is_python_space(**byte)).count();
        let trimmed = trim(raw, is_python_space);
        let place = Place::new(1, before + leading.min(raw.len() - trimmed.len()) + 1, trimmed.len());
        match std::str::from_utf8(trimmed) {
            Ok(text) if text.is_ascii() => Ok(Some((text, place))),
            _ => Err(Error::malformed("the header holds a byte that is not ASCII", place)),
        }
    };
    let short = || Error::malformed("the header is cut off", Place::new(1, 1, line.len()));
    let (version, version_place) = field(1)?.ok_or_else(short)?;
    let (cipher, cipher_place) = field(2)?.ok_or_else(short)?;
    let version = match version {
        "1.1" => Version::V1_1,
        "1.2" => Version::V1_2,
        found => return Err(Error::Version { found: found.to_owned(), place: version_place }),
    };
    if cipher != cipher::NAME {
        return Err(Error::Cipher { found: cipher.to_owned(), place: cipher_place });
    }
    // Ansible reads the label whatever the version, and nothing after it.
    let label = field(3)?.map(|(label, _)| label.to_owned()).filter(|label| !label.is_empty());
    Ok((Header { version, cipher: cipher.to_owned(), label }, body))
}

/// What stands before the header, if that is all that is wrong.
fn before_header(data: &[u8]) -> Option<&'static str> {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    if data.strip_prefix(BYTE_ORDER_MARK).is_some_and(has_header) {
        return Some("a byte order mark");
    }
    has_header(trim(data, is_python_space)).then_some("white space")
}

#[cfg(test)]
mod tests {
    use super::*;
    use diagnostic::Diagnose;
    use rstest::rstest;

    #[rstest]
    #[case("$ANSIBLE_VAULT;1.1;AES256", Version::V1_1, None)]
    #[case("$ANSIBLE_VAULT;1.2;AES256;prod\n00", Version::V1_2, Some("prod"))]
    #[case("$ANSIBLE_VAULT;1.2;AES256;prod\r00", Version::V1_2, Some("prod"))]
    #[case("$ANSIBLE_VAULT ; 1.2 ;AES256\t; my label \t \r\n", Version::V1_2, Some("my label"))]
    #[case("$ANSIBLE_VAULT;1.1;AES256;odd;more", Version::V1_1, Some("odd"))]
    #[case("$ANSIBLE_VAULT;1.2;AES256;", Version::V1_2, None)]
    fn as_tolerant_as_ansible(#[case] text: &str, #[case] version: Version, #[case] label: Option<&str>) {
        let header = Header::parse(text.as_bytes()).unwrap();
        assert_eq!((header.version, header.label.as_deref()), (version, label));
    }

    #[rstest]
    #[case(b"", "not encrypted with Ansible Vault", None)]
    #[case(b"a: 1\n", "not encrypted with Ansible Vault", None)]
    #[case(
        b"\n$ANSIBLE_VAULT;1.1;AES256\n",
        "not encrypted with Ansible Vault",
        Some("remove white space before the header `$ANSIBLE_VAULT…`")
    )]
    #[case(
        b"\xef\xbb\xbf$ANSIBLE_VAULT;1.1;AES256\n",
        "not encrypted with Ansible Vault",
        Some("remove a byte order mark before the header `$ANSIBLE_VAULT…`")
    )]
    #[case(b"$ANSIBLE_VAULT", "damaged vault data: the header is cut off", None)]
    #[case(b"$ANSIBLE_VAULT;1.1\nAES256", "damaged vault data: the header is cut off", None)]
    #[case(b"$ANSIBLE_VAULT;1.1;AES256;\xff\n", "damaged vault data: the header holds a byte that is not ASCII", None)]
    #[case(b"$ANSIBLE_VAULT;1.3;AES256\n", "vault format `1.3` is unknown", None)]
    #[case(b"$ANSIBLE_VAULT;1.0;AES\n", "vault format `1.0` is unknown", None)]
    #[case(b"$ANSIBLE_VAULT;1.1;AES128\n", "vault cipher `AES128` is unknown", None)]
    #[case(b"$ANSIBLE_VAULT;1.1;aes256\n", "vault cipher `aes256` is unknown", None)]
    fn mistakes_are_told(#[case] data: &[u8], #[case] expected: &str, #[case] hint: Option<&str>) {
        let error = Header::parse(data).unwrap_err();
        assert_eq!(error.to_string(), expected);
        if let Some(hint) = hint {
            assert_eq!(error.hint().unwrap(), hint);
        }
    }

    #[test]
    fn a_mistake_has_its_place() {
        let error = Header::parse(b"$ANSIBLE_VAULT;1.1; AES128 \n").unwrap_err().in_file("cfg.enc");
        let position = error.position().unwrap();
        assert_eq!((position.to_string().as_str(), position.length), ("cfg.enc:1:21", 6));
    }

    #[rstest]
    #[case(None, "$ANSIBLE_VAULT;1.1;AES256")]
    #[case(Some("default"), "$ANSIBLE_VAULT;1.1;AES256")]
    #[case(Some(""), "$ANSIBLE_VAULT;1.1;AES256")]
    #[case(Some("prod"), "$ANSIBLE_VAULT;1.2;AES256;prod")]
    fn written_as_ansible_writes_it(#[case] label: Option<&str>, #[case] expected: &str) {
        assert_eq!(Header::for_label(label).unwrap().to_string(), expected);
    }

    #[rstest]
    #[case("a;b")]
    #[case("a\nb")]
    #[case(" a")]
    #[case("é")]
    fn a_label_that_would_be_lost_is_refused(#[case] label: &str) {
        assert!(matches!(Header::for_label(Some(label)), Err(Error::Label { .. })));
    }
}

//! Encrypted data as it stands in a file: the header, then two layers of hexadecimal digits in lines of 80. The inner
//! layer is salt, digest and ciphertext, a line each (ansible-core 2.19, `parse_vaulttext` and `format_vaulttext_envelope`).

use crate::cipher::{BLOCK, DIGEST, Keys, ROUNDS};
use crate::error::Place;
use crate::header::{self, Header, Version, is_encrypted};
use crate::hex::{self, Fault};
use crate::password::is_line_end;
use crate::{Error, Password, Plaintext};
use std::fmt;

/// Digits in a line.
const COLUMNS: usize = 80;

/// Bytes of a salt that is made here.
const SALT: usize = 32;

/// Encrypted data that was read and is well-formed.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    header: Header,
    salt: Vec<u8>,
    digest: Vec<u8>,
    ciphertext: Vec<u8>,
}

impl Envelope {
    /// Reads encrypted data. Lines may end in any way and have any length, as with Ansible; but nothing except digits may
    /// stand in them.
    ///
    /// # Errors
    /// It is not encrypted, damaged, or of a version or cipher that does not exist.
    pub fn parse(data: &[u8]) -> Result<Self, Error> {
        let (header, body) = header::split(data)?;
        let digits = joined(body);
        let inner = hex::decode(&digits).map_err(|fault| misplaced(fault, body, digits.len()))?;
        drop(digits);
        let mut lines = inner.splitn(3, |byte| *byte == b'\n');
        let mut part = |name: &str| {
            let line = lines.next().ok_or_else(|| Error::damaged(format!("it ends before the {name}")))?;
            hex::decode(line).map_err(|fault| match fault {
                Fault::Odd => Error::damaged(format!("the {name} is cut off")),
                Fault::NotADigit(_) => {
                    Error::damaged(format!("the {name} holds something else than hexadecimal digits"))
                }
            })
        };
        let (salt, digest, ciphertext) = (part("salt")?, part("digest")?, part("ciphertext")?);
        if digest.len() != DIGEST {
            return Err(Error::damaged(format!("the digest has {} bytes instead of {DIGEST}", digest.len())));
        }
        // Whole blocks, and never none, since the plaintext is filled up.
        if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(BLOCK) {
            return Err(Error::damaged("the ciphertext is cut off".to_owned()));
        }
        Ok(Self { header, salt, digest, ciphertext })
    }

    /// What the first line says.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The version of the format.
    pub fn version(&self) -> Version {
        self.header.version
    }

    /// The label of the password, if the header has one.
    pub fn label(&self) -> Option<&str> {
        self.header.label.as_deref()
    }

    /// The plaintext.
    ///
    /// # Errors
    /// The password is another one, or the data was changed: which of them can't be told.
    pub fn decrypt(&self, password: &Password) -> Result<Plaintext, Error> {
        self.decrypt_in(ROUNDS, password)?.ok_or(Error::WrongPassword {
            tried: Vec::new(),
            label: self.header.label.clone(),
            only_matching: false,
        })
    }

    /// `None` when the password does not fit.
    pub(crate) fn decrypt_in(&self, rounds: u32, password: &Password) -> Result<Option<Plaintext>, Error> {
        let keys = Keys::derive(password.reveal(), &self.salt, rounds);
        if !keys.fits(&self.ciphertext, &self.digest) {
            return Ok(None);
        }
        let plaintext = keys.decrypt(&self.ciphertext);
        let plaintext =
            plaintext.ok_or_else(|| Error::damaged("the password fits, but the padding is wrong".to_owned()))?;
        Ok(Some(plaintext.into()))
    }
}

/// Without the ciphertext, which is long and says nothing.
impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envelope({}, {} bytes)", self.header, self.ciphertext.len())
    }
}

/// Encrypts with a new salt. A label other than `default` makes it format 1.2.
///
/// # Errors
/// It is encrypted already, or the label can't stand in a header.
pub fn encrypt(plaintext: &[u8], password: &Password, label: Option<&str>) -> Result<String, Error> {
    encrypt_with_salt(plaintext, password, label, &rand::random::<[u8; SALT]>())
}

/// Encrypts with a given salt: the same bytes each time (`ANSIBLE_VAULT_ENCRYPT_SALT`). Two texts encrypted with the same
/// password and salt give away what they have in common.
///
/// # Errors
/// As [`encrypt`].
pub fn encrypt_with_salt(
    plaintext: &[u8],
    password: &Password,
    label: Option<&str>,
    salt: &[u8],
) -> Result<String, Error> {
    encrypt_in(ROUNDS, plaintext, password, label, salt)
}

pub(crate) fn encrypt_in(
    rounds: u32,
    plaintext: &[u8],
    password: &Password,
    label: Option<&str>,
    salt: &[u8],
) -> Result<String, Error> {
    if is_encrypted(plaintext) {
        return Err(Error::AlreadyEncrypted);
    }
    let header = Header::for_label(label)?;
    let (digest, ciphertext) = Keys::derive(password.reveal(), salt, rounds).encrypt(plaintext);
    Ok(written(&header, salt, &digest, &ciphertext))
}

/// The text of an envelope.
pub(crate) fn written(header: &Header, salt: &[u8], digest: &[u8], ciphertext: &[u8]) -> String {
    let mut inner = Vec::with_capacity(2 * (salt.len() + digest.len() + ciphertext.len()) + 2);
    hex::encode(salt, &mut inner);
    inner.push(b'\n');
    hex::encode(digest, &mut inner);
    inner.push(b'\n');
    hex::encode(ciphertext, &mut inner);
    let mut text = format!("{header}\n").into_bytes();
    text.reserve(inner.len() * 2 + inner.len() / (COLUMNS / 2) + 1);
    for line in inner.chunks(COLUMNS / 2) {
        hex::encode(line, &mut text);
        text.push(b'\n');
    }
    String::from_utf8(text).expect("a header is ASCII, and so are digits")
}

/// The lines of the body as one.
fn joined(body: &[u8]) -> Vec<u8> {
    let mut digits = Vec::with_capacity(body.len());
    body.split(|byte| is_line_end(*byte)).for_each(|line| digits.extend_from_slice(line));
    digits
}

/// What is wrong with the digits, and where in the file.
fn misplaced(fault: Fault, body: &[u8], length: usize) -> Error {
    let offset = match fault {
        Fault::NotADigit(offset) => offset,
        Fault::Odd => length.saturating_sub(1),
    };
    let (place, byte) = locate(body, offset);
    let what = match (fault, byte) {
        (Fault::Odd, _) => "it ends in the middle of a byte",
        (_, b' ' | b'\t' | 0x0b | 0x0c) => "white space between the hexadecimal digits",
        _ => "something else than a hexadecimal digit",
    };
    Error::malformed(what, place)
}

/// The place of a digit when only digits are counted. The body begins at the end of the first line.
fn locate(body: &[u8], offset: usize) -> (Place, u8) {
    let (mut line, mut column, mut counted) = (1, 1, 0);
    let mut bytes = body.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if is_line_end(byte) {
            if byte == b'\r' && bytes.peek() == Some(&b'\n') {
                bytes.next();
            }
            (line, column) = (line + 1, 1);
        } else if counted == offset {
            return (Place::new(line, column, 1), byte);
        } else {
            (column, counted) = (column + 1, counted + 1);
        }
    }
    (Place::new(line, column, 1), 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use diagnostic::Diagnose;
    use rstest::rstest;

    fn password(text: &str) -> Password {
        Password::new(text.into()).unwrap()
    }

    fn sample(label: Option<&str>) -> String {
        encrypt_with_salt(b"a: 1\n", &password("one"), label, b"salt of thirty-two bytes 0123456").unwrap()
    }

    fn decrypted(text: &str) -> Vec<u8> {
        Envelope::parse(text.as_bytes()).unwrap().decrypt(&password("one")).unwrap().to_vec()
    }

    #[test]
    fn lines_have_eighty_columns_and_the_last_one_ends() {
        let text = encrypt(&[7; 1000], &password("one"), None).unwrap();
        let (last, lines) = text.lines().collect::<Vec<_>>().split_last().map(|(a, b)| (*a, b.to_vec())).unwrap();
        assert_eq!(lines[0], "$ANSIBLE_VAULT;1.1;AES256");
        assert!(lines[1..].iter().all(|line| line.len() == 80) && (1..=80).contains(&last.len()));
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"));
        assert_eq!(decrypted(&text), [7; 1000]);
    }

    #[test]
    fn each_encryption_has_its_salt() {
        let encrypt = || encrypt(b"same", &password("one"), None).unwrap();
        assert_ne!(encrypt(), encrypt());
        assert_eq!(sample(None), sample(None));
    }

    #[rstest]
    #[case::carriage_returns(|text: &str| text.replace('\n', "\r\n"))]
    #[case::old_mac(|text: &str| text.replace('\n', "\r"))]
    #[case::mixed(|text: &str| text.replacen('\n', "\r\n", 2).replacen('\n', "\n\r\r\n\n", 2))]
    #[case::no_end(|text: &str| text.trim_end().to_owned())]
    #[case::many_ends(|text: &str| text.to_owned() + "\n\n\r\n")]
    #[case::one_line(|text: &str| text.replace('\n', "").replacen("AES256", "AES256\n", 1))]
    #[case::short_lines(|text: &str| text.replace('3', "3\n"))]
    #[case::blanks_after_the_header(|text: &str| text.replacen("AES256", "AES256 \t", 1))]
    #[case::upper_case(|text: &str| text[..25].to_owned() + &text[25..].to_uppercase())]
    fn other_lines_do_not_matter(#[case] change: fn(&str) -> String) {
        let text = sample(None);
        let changed = change(&text);
        assert_ne!(changed, text);
        assert_eq!(decrypted(&changed), b"a: 1\n");
    }

    fn damaged(change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Error {
        Envelope::parse(&change(sample(None).into_bytes())).unwrap_err().in_file("cfg.enc")
    }

    fn insert(at: usize, byte: u8) -> impl Fn(Vec<u8>) -> Vec<u8> {
        move |mut data| {
            data.insert(at, byte);
            data
        }
    }

    #[rstest]
    #[case::header_only(damaged(|data| data[..26].to_vec()), "it ends before the digest", None)]
    #[case::odd(damaged(|data| data[..40].to_vec()), "the salt is cut off", None)]
    #[case::blank(damaged(insert(40, b' ')), "white space between the hexadecimal digits", Some("cfg.enc:2:15"))]
    #[case::letter(damaged(insert(108, b'g')), "something else than a hexadecimal digit", Some("cfg.enc:3:2"))]
    #[case::other(damaged(insert(30, 0xff)), "something else than a hexadecimal digit", Some("cfg.enc:2:5"))]
    #[case::one_more(damaged(insert(30, b'3')), "it ends in the middle of a byte", Some("cfg.enc:6:"))]
    #[case::half(damaged(|data| data[..data.len() / 2].to_vec()), "", None)]
    #[case::cut(damaged(|data| data[..data.len() - 5].to_vec()), "the ciphertext is", None)]
    fn damage_is_told(#[case] error: Error, #[case] what: &str, #[case] position: Option<&str>) {
        let text = error.to_string();
        assert!(text.starts_with("`cfg.enc`: damaged vault data: ") && text.contains(what), "{text}");
        if let Some(position) = position {
            assert!(error.position().unwrap().to_string().starts_with(position), "{:?}", error.position());
        }
        assert!(error.hint().is_some());
    }

    /// Two layers of digits around these three lines.
    fn layers(inner: &[u8]) -> Vec<u8> {
        let mut data = b"$ANSIBLE_VAULT;1.1;AES256\n".to_vec();
        hex::encode(inner, &mut data);
        data
    }

    #[rstest]
    #[case(b"", "it ends before the digest")]
    #[case(b"00", "it ends before the digest")]
    #[case(b"0g\n00\n00", "the salt holds something else than hexadecimal digits")]
    #[case(b"00\n0\n00", "the digest is cut off")]
    #[case(b"00\n00\n00", "the digest has 1 bytes instead of 32")]
    #[case(b"00\n00", "it ends before the ciphertext")]
    #[case(b"00\n00\n0\n", "the ciphertext holds something else than hexadecimal digits")]
    fn damage_inside_is_told(#[case] inner: &[u8], #[case] expected: &str) {
        let error = Envelope::parse(&layers(inner)).unwrap_err();
        assert_eq!(error.to_string(), format!("damaged vault data: {expected}"));
    }

    #[test]
    fn a_wrong_password_and_a_flipped_bit_are_seen() {
        let text = sample(Some("prod"));
        let envelope = Envelope::parse(text.as_bytes()).unwrap();
        let error = envelope.decrypt(&password("two")).unwrap_err();
        assert!(matches!(error, Error::WrongPassword { .. }), "{error}");
        // The last digit of the ciphertext: `30` to `39` and `61` to `66` stay digits.
        let last = text.trim_end().len() - 1;
        let flipped = format!("{}{}\n", &text[..last], if text.as_bytes()[last] == b'1' { '2' } else { '1' });
        let error = Envelope::parse(flipped.as_bytes()).unwrap().decrypt(&password("one")).unwrap_err();
        assert!(matches!(error, Error::WrongPassword { .. }), "{error}");
    }

    #[test]
    fn wrong_padding_under_a_right_digest_is_damage() {
        let keys = Keys::derive(b"one", b"salt", ROUNDS);
        // A last byte of zero is no padding; which plaintext gives it is found by trying.
        let (ciphertext, digest) = (0..=255)
            .map(|last| {
                let mut ciphertext = vec![0; 16];
                ciphertext[15] = last;
                ciphertext
            })
            .find(|ciphertext| keys.decrypt(ciphertext).is_none())
            .map(|ciphertext| {
                let digest = keys.digest(&ciphertext);
                (ciphertext, digest)
            })
            .unwrap();
        let text = written(&Header::for_label(None).unwrap(), b"salt", &digest, &ciphertext);
        let error = Envelope::parse(text.as_bytes()).unwrap().decrypt(&password("one")).unwrap_err();
        assert_eq!(error.to_string(), "damaged vault data: the password fits, but the padding is wrong");
    }

    #[test]
    fn what_is_encrypted_is_not_encrypted_again() {
        let error = encrypt(sample(None).as_bytes(), &password("one"), None).unwrap_err();
        assert!(matches!(error, Error::AlreadyEncrypted));
        // Not ASCII, so no encrypted data to Ansible.
        assert!(encrypt("$ANSIBLE_VAULT is how it begins – always".as_bytes(), &password("one"), None).is_ok());
    }

    #[test]
    fn it_shows_its_header_only() {
        let envelope = Envelope::parse(sample(Some("prod")).as_bytes()).unwrap();
        assert_eq!(format!("{envelope:?}"), "Envelope($ANSIBLE_VAULT;1.2;AES256;prod, 16 bytes)");
    }
}

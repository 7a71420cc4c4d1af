//! What was decrypted, wiped from memory when it is dropped.

use crate::Error;
use diagnostic::REDACTED;
use std::fmt;
use std::ops::Deref;
use zeroize::Zeroizing;

/// What was decrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct Plaintext(Zeroizing<Vec<u8>>);

impl Plaintext {
    /// Takes bytes over; from now on they are wiped when dropped.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// As text.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.0).map_err(|_| Error::NotText)
    }
}

impl From<Zeroizing<Vec<u8>>> for Plaintext {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl Deref for Plaintext {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Plaintext {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plaintext({REDACTED})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_show_itself() {
        assert_eq!(format!("{:?}", Plaintext::new(b"hunter2".to_vec())), "Plaintext(********)");
    }

    #[test]
    fn only_text_is_text() {
        assert_eq!(Plaintext::new("é".into()).text().unwrap(), "é");
        assert!(matches!(Plaintext::new(vec![0xff]).text(), Err(Error::NotText)));
    }
}

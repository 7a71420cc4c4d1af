//! A password, wiped from memory when it is dropped.

use crate::Error;
use diagnostic::REDACTED;
use std::fmt;
use zeroize::Zeroizing;

/// A vault password; never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// Exactly these bytes.
    ///
    /// # Errors
    /// There are none.
    pub fn new(bytes: Vec<u8>) -> Result<Self, Error> {
        let bytes = Zeroizing::new(bytes);
        if bytes.is_empty() { Err(Error::EmptyPassword) } else { Ok(Self(bytes)) }
    }

    /// What somebody typed: without white space around it, as Ansible's prompt has it.
    ///
    /// # Errors
    /// Nothing is left.
    pub fn typed(bytes: &[u8]) -> Result<Self, Error> {
        Self::new(trim(bytes, is_python_space).to_vec())
    }

    /// What a program printed: without the ends of lines around it.
    pub(crate) fn printed(bytes: &[u8]) -> Result<Self, Error> {
        Self::new(trim(bytes, is_line_end).to_vec())
    }

    /// The bytes themselves. Whoever calls this sees to it that they are not shown.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Password({REDACTED})")
    }
}

/// What Python's `bytes.strip` takes away.
pub(crate) fn is_python_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// What ends a line.
pub(crate) fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Without the bytes at both ends that `strip` picks.
pub(crate) fn trim(bytes: &[u8], strip: fn(u8) -> bool) -> &[u8] {
    let Some(start) = bytes.iter().position(|byte| !strip(*byte)) else { return &[] };
    let end = bytes.iter().rposition(|byte| !strip(*byte)).map_or(start, |last| last + 1);
    &bytes[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b" a b \n", Some(b"a b".as_slice()))]
    #[case(b"\x0b\x0c\r\na\t", Some(b"a".as_slice()))]
    #[case(b" \n", None)]
    #[case(b"", None)]
    fn typing(#[case] keys: &[u8], #[case] expected: Option<&[u8]>) {
        assert_eq!(Password::typed(keys).ok().as_ref().map(Password::reveal), expected);
    }

    #[test]
    fn a_program_may_print_blanks() {
        assert_eq!(Password::printed(b"\r\n a \r\n\n").unwrap().reveal(), b" a ");
    }

    #[test]
    fn it_does_not_show_itself() {
        let shown = format!("{:?}", Password::new(b"hunter2".to_vec()).unwrap());
        assert_eq!(shown, "Password(********)");
    }
}

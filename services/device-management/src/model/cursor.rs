//! Cursors: where a page ended, as text that means nothing to whoever holds it.

use data_encoding::BASE64URL_NOPAD;
use service::DeviceId;
use sha2::{Digest, Sha256};

/// The last device of a page, and which question the page answered. Devices are ordered by their ids, which never change:
/// whatever is registered or removed between two pages, no other device is missed or seen twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) after: DeviceId,
    question: [u8; 8],
}

/// Changed when cursors of older versions can no longer be understood.
const VERSION: u8 = 1;

impl Cursor {
    /// After this device, for this question (the filters as text).
    pub(crate) fn new(after: DeviceId, question: &str) -> Self {
        Self { after, question: digest(question) }
    }

    pub(crate) fn encode(&self) -> String {
        let bytes = [&[VERSION][..], &self.question, self.after.as_str().as_bytes()].concat();
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// # Errors
    /// What is wrong with it.
    pub(crate) fn decode(text: &str, question: &str) -> Result<Self, &'static str> {
        const NONE: &str = "is no cursor of this list";
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| NONE)?;
        let (head, id) = bytes.split_at_checked(9).ok_or(NONE)?;
        let after = std::str::from_utf8(id).ok().and_then(|id| id.parse().ok()).ok_or(NONE)?;
        match head {
            [VERSION, rest @ ..] if rest == digest(question) => Ok(Self::new(after, question)),
            [VERSION, ..] => Err("belongs to other filters: ask with those of the first page"),
            _ => Err(NONE),
        }
    }
}

fn digest(question: &str) -> [u8; 8] {
    let digest: [u8; 32] = Sha256::digest(question.as_bytes()).into();
    std::array::from_fn(|index| digest[index])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cursors_come_back(id in "[A-Za-z0-9][A-Za-z0-9_-]{2,63}", question in "\\PC{0,40}") {
            let cursor = Cursor::new(id.parse().unwrap(), &question);
            prop_assert_eq!(Cursor::decode(&cursor.encode(), &question), Ok(cursor.clone()));
            let other = format!("{question}x");
            prop_assert!(Cursor::decode(&cursor.encode(), &other).is_err());
        }

        #[test]
        fn nonsense_is_no_cursor(text in "\\PC{0,120}") {
            prop_assert!(Cursor::decode(&text, "").is_err());
        }
    }
}

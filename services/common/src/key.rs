//! Device keys: 256 random bits as text, of which only the SHA-256 is kept. So many bits need no slow hash.

use data_encoding::BASE64URL_NOPAD;
use diagnostic::Secret;
use hmac::{Hmac, KeyInit, Mac};
use rand::{CryptoRng, RngExt};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Begins every key, so that secret scanners can find one that leaked.
const MARK: &str = "nbk_";

/// The SHA-256 of a key's text.
#[derive(Debug, Clone, Copy)]
pub struct KeyHash(pub [u8; 32]);

impl KeyHash {
    /// Of a key as it was handed out or presented.
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }

    /// As it stands in the database.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Whether `key` is the one; takes the same time for every wrong one.
    pub fn matches(&self, key: &str) -> bool {
        self.0.ct_eq(&Self::of(key).0).into()
    }
}

/// Makes keys. Those of one source can be made again from the device's id, so that an import of any length can commit
/// first and show the keys after, without holding them all; the source is forgotten with the request.
pub struct KeySource([u8; 32]);

impl KeySource {
    /// A new source of 256 random bits.
    pub fn new(random: &mut impl CryptoRng) -> Self {
        Self(random.random())
    }

    /// The key of one device.
    pub fn key(&self, device: &str) -> Secret<String> {
        // HMAC fills a key that is shorter than a block with zeros (RFC 2104 section 2).
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(device.as_bytes());
        Secret::new(format!("{MARK}{}", BASE64URL_NOPAD.encode(&mac.finalize().into_bytes())))
    }
}

impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeySource")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_itself_matches() {
        let source = KeySource::new(&mut rand::rng());
        let key = source.key("ESP32-1");
        let hash = KeyHash::of(key.reveal());
        assert!(hash.matches(key.reveal()));
        assert!(!hash.matches(source.key("ESP32-2").reveal()));
        assert!(!hash.matches(KeySource::new(&mut rand::rng()).key("ESP32-1").reveal()));
        assert!(!hash.matches(""));
        assert_eq!(key.reveal().len(), 47);
        assert_eq!(source.key("ESP32-1"), key);
    }
}

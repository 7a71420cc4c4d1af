//! Sealing: a device's key waits encrypted in the database until the broker has taken it, since the plugin wants plain text.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use service::Secret;
use uuid::Uuid;

/// AES-256-GCM; bound to device and credential, so that a sealed key cannot be moved to another row.
pub struct Seal {
    key: RandomizedNonceKey,
    marks: hmac::Key,
}

/// Nonce (12 bytes) before, tag (16 bytes) after the text.
const NONCE: usize = 12;

impl Seal {
    /// Reads a key of 32 bytes: 64 hexadecimal digits, or base64 of either alphabet.
    ///
    /// # Errors
    /// What is wrong, as a fragment that follows the variable's name.
    pub fn parse(text: &Secret<String>) -> Result<Self, String> {
        let text = text.reveal().trim();
        let unpadded = text.trim_end_matches('=');
        let decoded = [
            HEXLOWER_PERMISSIVE.decode(text.as_bytes()),
            BASE64.decode(text.as_bytes()),
            BASE64URL_NOPAD.decode(unpadded.as_bytes()),
        ];
        let bytes = decoded.into_iter().flatten().find(|bytes| bytes.len() == 32);
        let bytes = bytes.ok_or_else(|| "is not 32 bytes in hexadecimal or base64".to_owned())?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| "is no key".to_owned())?;
        Ok(Self { key, marks: hmac::Key::new(hmac::HMAC_SHA256, &bytes) })
    }

    /// A mark by which a secret is known again, and that tells nothing about it to whoever has not our key.
    pub(crate) fn mark(&self, secret: &Secret<String>) -> String {
        let text = [b"mark of a password: ".as_slice(), secret.reveal().as_bytes()].concat();
        HEXLOWER.encode(&hmac::sign(&self.marks, &text).as_ref()[..8])
    }

    /// Seals a key for one device and credential. `None` only when the system has no randomness.
    pub(crate) fn seal(&self, device: &str, credential: Uuid, key: &Secret<String>) -> Option<Vec<u8>> {
        let mut text = key.reveal().clone().into_bytes();
        let nonce = self.key.seal_in_place_append_tag(Aad::from(bound_to(device, credential)), &mut text).ok()?;
        Some([nonce.as_ref().as_slice(), &text].concat())
    }

    /// Opens what was sealed for the same device and credential with the same key.
    pub(crate) fn open(&self, device: &str, credential: Uuid, sealed: &[u8]) -> Option<Secret<String>> {
        let (nonce, text) = sealed.split_at_checked(NONCE)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let plain = self.key.open_in_place(nonce, Aad::from(bound_to(device, credential)), &mut text).ok()?;
        String::from_utf8(plain.to_vec()).ok().map(Secret::new)
    }
}

fn bound_to(device: &str, credential: Uuid) -> Vec<u8> {
    [credential.as_bytes().as_slice(), device.as_bytes()].concat()
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seal(byte: &str) -> Seal {
        Seal::parse(&Secret::new(byte.repeat(32))).unwrap()
    }

    #[test]
    fn only_the_same_key_device_and_credential_open_it() {
        let (credential, key) = (Uuid::new_v4(), Secret::new("nbk_abc".to_owned()));
        let sealed = seal("0a").seal("dev-1", credential, &key).unwrap();
        assert!(!sealed.windows(7).any(|part| part == b"nbk_abc"));
        assert_eq!(seal("0a").open("dev-1", credential, &sealed), Some(key));
        assert_eq!(seal("0b").open("dev-1", credential, &sealed), None);
        assert_eq!(seal("0a").open("dev-2", credential, &sealed), None);
        assert_eq!(seal("0a").open("dev-1", Uuid::new_v4(), &sealed), None);
    }

    #[test]
    fn a_mark_is_of_one_secret_and_one_key() {
        let mark = |key: &str, secret: &str| seal(key).mark(&Secret::new(secret.to_owned()));
        assert_eq!(mark("0a", "password"), mark("0a", "password"));
        assert!(mark("0a", "password") != mark("0a", "passwort") && mark("0a", "password") != mark("0b", "password"));
    }

    #[test]
    fn keys_come_in_three_forms() {
        let bytes: Vec<u8> = (0..32).map(|byte| byte * 7).collect();
        for text in [HEXLOWER_PERMISSIVE.encode(&bytes), BASE64.encode(&bytes), BASE64URL_NOPAD.encode(&bytes)] {
            assert!(Seal::parse(&Secret::new(text)).is_ok());
        }
        assert!(Seal::parse(&Secret::new("secret".to_owned())).is_err());
    }

    proptest! {
        #[test]
        fn nonsense_does_not_open(sealed in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(seal("0a").open("dev-1", Uuid::nil(), &sealed), None);
        }
    }
}

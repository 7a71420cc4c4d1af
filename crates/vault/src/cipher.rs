//! `AES256`, the one cipher of Ansible Vault: AES-256 in counter mode, PKCS #7 padding, HMAC-SHA256 over the ciphertext;
//! keys by PBKDF2 (ansible-core 2.19, `VaultAES256` in `parsing/vault/__init__.py`).

use aes::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What the header calls it.
pub(crate) const NAME: &str = "AES256";

/// Rounds of PBKDF2. Tests of the surroundings take fewer.
pub(crate) const ROUNDS: u32 = 10_000;

/// Bytes of the digest.
pub(crate) const DIGEST: usize = 32;

/// Bytes of a block; the plaintext is filled up to a multiple of it.
pub(crate) const BLOCK: usize = 16;

/// Bytes of each of the two keys.
const KEY: usize = 32;

/// One for the cipher, one for the digest, and where the counter begins.
pub(crate) struct Keys(Zeroizing<Vec<u8>>);

impl Keys {
    /// From a password.
    pub(crate) fn derive(password: &[u8], salt: &[u8], rounds: u32) -> Self {
        let mut keys = Zeroizing::new(vec![0; KEY + KEY + BLOCK]);
        pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut keys);
        Self(keys)
    }

    fn apply(&self, data: &mut [u8]) {
        let (key, counter) = (&self.0[..KEY], &self.0[KEY + KEY..]);
        ctr::Ctr128BE::<aes::Aes256>::new_from_slices(key, counter)
            .expect("a key of AES-256 has 32 bytes, a block 16")
            .apply_keystream(data);
    }

    fn mac(&self, ciphertext: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0[KEY..KEY + KEY]).expect("HMAC takes keys of any length");
        mac.update(ciphertext);
        mac
    }

    /// The digest and the ciphertext.
    pub(crate) fn encrypt(&self, plaintext: &[u8]) -> ([u8; DIGEST], Vec<u8>) {
        let filling = BLOCK - plaintext.len() % BLOCK;
        let mut data = Vec::with_capacity(plaintext.len() + filling);
        data.extend_from_slice(plaintext);
        // As many bytes as are missing, each saying how many.
        data.resize(plaintext.len() + filling, u8::try_from(filling).unwrap_or_default());
        self.apply(&mut data);
        (self.digest(&data), data)
    }

    /// What shows that the ciphertext was written with these keys.
    pub(crate) fn digest(&self, ciphertext: &[u8]) -> [u8; DIGEST] {
        self.mac(ciphertext).finalize().into_bytes().into()
    }

    /// Whether the ciphertext was written with these keys, compared in constant time.
    pub(crate) fn fits(&self, ciphertext: &[u8], digest: &[u8]) -> bool {
        self.mac(ciphertext).verify_slice(digest).is_ok()
    }

    /// The plaintext; `None` when it is not filled up as it should be.
    pub(crate) fn decrypt(&self, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut data = Zeroizing::new(ciphertext.to_vec());
        self.apply(&mut data);
        let filling = usize::from(*data.last()?);
        let length = data.len().checked_sub(filling)?;
        let whole = data.len().is_multiple_of(BLOCK) && (1..=BLOCK).contains(&filling);
        if !whole || data[length..].iter().any(|byte| usize::from(*byte) != filling) {
            return None;
        }
        data.truncate(length);
        Some(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// What `hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 10000, 80)` says.
    #[test]
    fn keys_are_those_of_other_implementations() {
        let keys = Keys::derive(b"password", b"salt", ROUNDS);
        let mut digits = Vec::new();
        crate::hex::encode(&keys.0, &mut digits);
        let expected = "5ec02b91a4b59c6f59dd5fbe4ca649ece4fa8568cdb8ba36cf41426e8805522ba4e2aeac19a4821501cf609126ab01df25661083bf66f95e5217fee3198504b1f776af5b88f09b3157d3c29eb580ff30";
        assert_eq!(String::from_utf8(digits).unwrap(), expected);
    }

    #[rstest]
    #[case(0, 16)]
    #[case(1, 16)]
    #[case(15, 16)]
    #[case(16, 32)]
    #[case(100, 112)]
    fn plaintext_is_filled_up(#[case] length: usize, #[case] expected: usize) {
        let keys = Keys::derive(b"password", b"salt", 1);
        let plaintext = vec![7; length];
        let (digest, ciphertext) = keys.encrypt(&plaintext);
        assert_eq!(ciphertext.len(), expected);
        assert!(keys.fits(&ciphertext, &digest));
        assert_eq!(*keys.decrypt(&ciphertext).unwrap(), plaintext);
    }

    #[test]
    fn another_key_a_changed_bit_and_a_short_digest_do_not_fit() {
        let keys = Keys::derive(b"password", b"salt", 1);
        let (digest, mut ciphertext) = keys.encrypt(b"text");
        assert!(!Keys::derive(b"Password", b"salt", 1).fits(&ciphertext, &digest));
        assert!(!Keys::derive(b"password", b"Salt", 1).fits(&ciphertext, &digest));
        assert!(!keys.fits(&ciphertext, &digest[..31]));
        assert!(!keys.fits(&ciphertext, b""));
        ciphertext[3] ^= 1;
        assert!(!keys.fits(&ciphertext, &digest));
    }

    #[rstest]
    #[case::nothing(&[])]
    #[case::no_block(&[1; 15])]
    #[case::zero(&[0; 16])]
    #[case::too_many(&[17; 32])]
    #[case::different(&[3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 3, 3])]
    fn wrong_filling_is_seen(#[case] filled: &[u8]) {
        let keys = Keys::derive(b"password", b"salt", 1);
        let mut ciphertext = filled.to_vec();
        keys.apply(&mut ciphertext);
        assert_eq!(keys.decrypt(&ciphertext), None);
    }
}

//! Properties that hold for any input. `PROPTEST_CASES` sets how many inputs are tried.

use crate::envelope::{encrypt_in, written};
use crate::{Envelope, Error, Header, Password, Secrets, Version, find_inline, from_inline, is_encrypted, to_inline};
use proptest::prelude::*;

/// Few enough that millions of inputs can be tried; the number is all that is different.
const ROUNDS: u32 = 1;

/// As many as asked for, else a number that takes a second or two.
fn cases(default: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(asked.unwrap_or(default)) }
}

fn password() -> impl Strategy<Value = Password> {
    proptest::collection::vec(any::<u8>(), 1..40).prop_map(|bytes| Password::new(bytes).unwrap())
}

fn label() -> impl Strategy<Value = Option<String>> {
    proptest::option::of("[a-zA-Z0-9_.@-]([a-zA-Z0-9_ .@-]{0,14}[a-zA-Z0-9_.@-])?")
}

/// Bytes of any kind, also none, or whole blocks.
fn content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..100),
        Just(Vec::new()),
        any::<[u8; 16]>().prop_map(|bytes| bytes.to_vec()),
        any::<[u8; 32]>().prop_map(|bytes| bytes.to_vec()),
    ]
}

/// What happened to a good file.
#[derive(Debug, Clone)]
enum Damage {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Repeat(prop::sample::Index, prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => (index(), 0..8u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        1 => index().prop_map(Damage::Cut),
        2 => (index(), any::<u8>()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        2 => index().prop_map(Damage::Remove),
        1 => (index(), index()).prop_map(|(from, to)| Damage::Repeat(from, to)),
    ]
}

impl Damage {
    fn apply(&self, data: &mut Vec<u8>) {
        if data.is_empty() {
            return;
        }
        let length = data.len();
        match self {
            Self::Flip(at, bit) => data[at.index(length)] ^= 1 << bit,
            Self::Cut(at) => data.truncate(at.index(length)),
            Self::Insert(at, byte) => data.insert(at.index(length), *byte),
            Self::Remove(at) => drop(data.remove(at.index(length))),
            Self::Repeat(from, to) => {
                let (from, to) = (from.index(length), to.index(length));
                data.extend_from_within(from.min(to)..from.max(to));
            }
        }
    }
}

/// Without the zeros at its end.
fn bare(password: &Password) -> Vec<u8> {
    let last = password.reveal().iter().rposition(|byte| *byte != 0);
    last.map_or_else(Vec::new, |last| password.reveal()[..=last].to_vec())
}

/// Everything that is done with data from outside.
fn exercise(data: &[u8], password: &Password) -> Option<Vec<u8>> {
    let mut secrets = Secrets::new();
    secrets.add("one", password.clone()).unwrap();
    secrets.add("two", Password::new(b"another".to_vec()).unwrap()).unwrap();
    if let Ok(text) = std::str::from_utf8(data) {
        let values = find_inline(text);
        assert!(values.iter().all(|value| text.is_char_boundary(value.lines.start) && value.lines.end <= text.len()));
        let _ = from_inline(text);
    }
    let result = Envelope::parse(data).and_then(|envelope| Ok(secrets.open_in(ROUNDS, &envelope)?.plaintext.to_vec()));
    match result {
        Ok(plaintext) => Some(plaintext),
        Err(error) => {
            use diagnostic::Diagnose;
            let error = error.in_file("f");
            assert!(!error.to_string().is_empty());
            let (_, _) = (error.hint(), error.position());
            None
        }
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn what_is_encrypted_comes_back(
        plaintext in content(), password in password(), label in label(), salt in proptest::collection::vec(any::<u8>(), 0..40)
    ) {
        prop_assume!(!is_encrypted(&plaintext));
        let text = encrypt_in(ROUNDS, &plaintext, &password, label.as_deref(), &salt).unwrap();
        prop_assert!(is_encrypted(text.as_bytes()));
        prop_assert!(text.lines().all(|line| line.len() <= 80));
        let envelope = Envelope::parse(text.as_bytes()).unwrap();
        let expected = label.filter(|label| label != "default");
        prop_assert_eq!(envelope.label(), expected.as_deref());
        prop_assert_eq!(envelope.version(), if expected.is_some() { Version::V1_2 } else { Version::V1_1 });
        let decrypted = envelope.decrypt_in(ROUNDS, &password).unwrap().unwrap();
        prop_assert_eq!(&*decrypted, plaintext.as_slice());
        let inline = to_inline(&text, Some("key"));
        let back = from_inline(&inline);
        prop_assert_eq!(back.as_deref(), Some(text.as_str()));
        prop_assert_eq!(&find_inline(&inline)[0].envelope, &text);
    }

    #[test]
    fn another_password_never_fits(plaintext in content(), right in password(), wrong in password()) {
        // HMAC fills short keys with zeros, so that these two are one password, also to Ansible.
        prop_assume!(bare(&right) != bare(&wrong));
        prop_assume!(!is_encrypted(&plaintext));
        let text = encrypt_in(ROUNDS, &plaintext, &right, None, b"salt").unwrap();
        prop_assert!(Envelope::parse(text.as_bytes()).unwrap().decrypt_in(ROUNDS, &wrong).unwrap().is_none());
    }
}

/// What bodies consist of, and what does not belong there.
const BODY: &[&str] =
    &["30", "39", "61", "66", "0a", "3", "a", "F", "\n", "\r\n", "\r", " ", ";", "g", "30313233343536373839"];

proptest! {
    #![proptest_config(cases(20_000))]

    #[test]
    fn any_bytes_are_no_trouble(data in proptest::collection::vec(any::<u8>(), 0..150)) {
        exercise(&data, &Password::new(b"one".to_vec()).unwrap());
    }

    #[test]
    fn any_bytes_after_a_header_are_no_trouble(
        header in prop::sample::select(vec!["$ANSIBLE_VAULT;1.1;AES256\n", "$ANSIBLE_VAULT;1.2;AES256;a\r\n", "$ANSIBLE_VAULT"]),
        body in proptest::collection::vec(prop::sample::select(BODY.to_vec()), 0..60)
    ) {
        exercise([header, &body.concat()].concat().as_bytes(), &Password::new(b"one".to_vec()).unwrap());
    }

}

proptest! {
    #![proptest_config(cases(8_000))]

    #[test]
    fn three_lines_of_any_kind_are_no_trouble(salt in content(), digest in content(), ciphertext in content()) {
        let header = Header { version: Version::V1_1, cipher: "AES256".to_owned(), label: None };
        let text = written(&header, &salt, &digest, &ciphertext);
        let parsed = Envelope::parse(text.as_bytes());
        let whole = digest.len() == 32 && !ciphertext.is_empty() && ciphertext.len() % 16 == 0;
        prop_assert_eq!(parsed.is_ok(), whole);
        exercise(text.as_bytes(), &Password::new(b"one".to_vec()).unwrap());
    }

    /// A damaged file is an error, or what was changed does not matter (a line's end, the label, the case of a digit).
    #[test]
    fn a_damaged_file_is_an_error_or_the_right_bytes(
        plaintext in content(), password in password(), label in label(), damages in proptest::collection::vec(damage(), 1..4)
    ) {
        prop_assume!(!is_encrypted(&plaintext));
        let mut data = encrypt_in(ROUNDS, &plaintext, &password, label.as_deref(), b"salt").unwrap().into_bytes();
        damages.iter().for_each(|damage| damage.apply(&mut data));
        if let Some(decrypted) = exercise(&data, &password) {
            prop_assert_eq!(decrypted, plaintext);
        }
    }
}

#[test]
fn ten_megabytes_are_no_trouble() {
    let plaintext: Vec<u8> = (0..10_000_000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let password = Password::new(b"one".to_vec()).unwrap();
    let text = encrypt_in(ROUNDS, &plaintext, &password, None, b"salt").unwrap();
    assert!(text.len() > 40_000_000);
    let decrypted = Envelope::parse(text.as_bytes()).unwrap().decrypt_in(ROUNDS, &password).unwrap().unwrap();
    assert!(*decrypted == *plaintext);
    let error = Envelope::parse(&text.as_bytes()[..text.len() - 1001]).unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
}

//! What must not be said: values that redact themselves, and a filter for everything that is about to be shown.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, RwLock};

/// What stands in the place of a secret.
pub const REDACTED: &str = "********";

/// A value that shows itself as `********`; reading it is an explicit call.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Whoever calls this sees to it that it is not shown.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// Replaces known secrets in text that is about to be shown. Clones share the same secrets.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: Arc<RwLock<Vec<String>>>,
}

/// Shorter values (`true`, `5432`) would blank out half of every output, so they are not looked for inside text.
const SHORTEST_SOUGHT_BYTES: usize = 8;

impl Redactor {
    /// Knows no secret yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on `secret`, and its base64 form, is replaced wherever it stands. Values below eight bytes are not sought.
    pub fn add(&self, secret: &str) {
        let secret = secret.trim_end_matches('\n');
        if secret.len() < SHORTEST_SOUGHT_BYTES {
            return;
        }
        let mut secrets = self.secrets.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        let base64 = data_encoding::BASE64.encode(secret.as_bytes());
        for form in [secret.to_owned(), base64.trim_end_matches('=').to_owned()] {
            if !secrets.contains(&form) {
                secrets.push(form);
            }
        }
        // The longest first, so that a secret which contains another goes whole.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// `text` with every known secret replaced.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let secrets = self.secrets.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut redacted = Cow::Borrowed(text);
        for secret in secrets.iter() {
            if redacted.contains(secret.as_str()) {
                redacted = Cow::Owned(redacted.replace(secret.as_str(), REDACTED));
            }
        }
        redacted
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_shows_itself() {
        let secret = Secret::new("correct horse");
        assert_eq!(format!("{secret} {secret:?}"), "******** ********");
        assert_eq!(*secret.reveal(), "correct horse");
    }

    #[test]
    fn secrets_go_in_clear_and_in_base64() {
        let redactor = Redactor::new();
        redactor.add("correct horse\n");
        assert_eq!(redactor.redact("pw=correct horse, Y29ycmVjdCBob3JzZQ=="), "pw=********, ********==");
    }

    #[test]
    fn a_longer_secret_goes_whole() {
        let redactor = Redactor::new();
        redactor.add("password");
        redactor.add("password-of-root");
        assert_eq!(redactor.redact("password-of-root"), REDACTED);
    }

    #[test]
    fn short_values_stay() {
        let redactor = Redactor::new();
        redactor.add("true");
        assert_eq!(redactor.redact("it is true"), "it is true");
    }
}

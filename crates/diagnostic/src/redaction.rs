//! What must not be said: values that redact themselves, and a filter for everything that is about to be shown.

use crate::forms;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

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
    secrets: Arc<RwLock<Secrets>>,
}

#[derive(Default)]
struct Secrets {
    /// As they were given.
    known: HashSet<String>,
    /// All that is sought, the longest first, so that a secret which contains another goes whole.
    sought: Vec<String>,
}

/// Shorter values (`true`, `5432`) would blank out half of every output, so they are not looked for inside text.
pub const SHORTEST_SOUGHT_BYTES: usize = 8;

impl Redactor {
    /// Knows no secret yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on `secret` is replaced wherever it stands: as it is, between quotes of JSON, Python or a shell, in URLs, and as
    /// base64, also as a part of longer base64. Of several lines each is a secret of its own. Values below eight bytes are not sought.
    pub fn add(&self, secret: &str) {
        let secret = secret.trim_end_matches('\n');
        if secret.len() < SHORTEST_SOUGHT_BYTES || self.read().known.contains(secret) {
            return;
        }
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        secrets.known.insert(secret.to_owned());
        for part in std::iter::once(secret).chain(secret.lines().map(str::trim)) {
            if part.len() >= SHORTEST_SOUGHT_BYTES && !secrets.sought.iter().any(|known| known == part) {
                secrets.sought.push(part.to_owned());
                secrets.sought.extend(forms::quoted(part));
                secrets.sought.extend(forms::percent(part));
                secrets.sought.extend(forms::base64(part));
            }
        }
        secrets.sought.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        secrets.sought.dedup();
    }

    /// Whether no secret is known, so that nothing can be redacted.
    pub fn is_empty(&self) -> bool {
        self.read().sought.is_empty()
    }

    /// `text` with every known secret replaced.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut redacted = Cow::Borrowed(text);
        for secret in &self.read().sought {
            if redacted.contains(secret.as_str()) {
                redacted = Cow::Owned(redacted.replace(secret.as_str(), REDACTED));
            }
        }
        redacted
    }

    fn read(&self) -> RwLockReadGuard<'_, Secrets> {
        self.secrets.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A text as it looks between quotes of JSON, Python or a POSIX shell, where that differs from the text itself.
pub fn quoted_forms(text: &str) -> Vec<String> {
    forms::quoted(text)
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
    fn each_line_is_a_secret() {
        let redactor = Redactor::new();
        redactor.add("first line\n  second line\nend\n");
        assert_eq!(redactor.redact("the second line, the end"), "the ********, the end");
    }

    #[test]
    fn secrets_go_from_quoted_and_encoded_text() {
        let redactor = Redactor::new();
        redactor.add("it's \"me\", ok");
        for text in [r#"{"a":"it's \"me\", ok"}"#, "u:it%27s%20%22me%22%2C%20ok@h", r#"'it'"'"'s "me", ok'"#] {
            assert!(redactor.redact(text).contains(REDACTED), "{text}");
        }
        let header = data_encoding::BASE64.encode(b"user:it's \"me\", ok");
        assert!(redactor.redact(&header).contains(REDACTED), "{header}");
    }

    #[test]
    fn short_values_stay() {
        let redactor = Redactor::new();
        redactor.add("true");
        assert_eq!(redactor.redact("it is true"), "it is true");
    }
}

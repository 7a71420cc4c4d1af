//! Administrators: whoever presents a token that is configured, in all services alike.

use crate::config::{Environment, Invalid};
use crate::key::KeyHash;
use crate::problem::Problem;
use data_encoding::HEXLOWER;
use diagnostic::Secret;
use http::{HeaderMap, header};

/// A token that people can guess is none; 128 bits in base64 are 22 characters.
const SHORTEST_TOKEN: usize = 20;

/// The tokens that administrators present: one a line, or `sha256:` and the hash of one; two while a token is being changed. Only
/// hashes are kept.
#[derive(Debug, Clone)]
pub struct AdminTokens(Vec<KeyHash>);

impl AdminTokens {
    /// Where they stand.
    pub const VARIABLE: &str = "ADMIN_TOKEN";
    /// What the variable is for.
    pub const ABOUT: &str = "what administrators present as bearer token: one a line, or `sha256:` and its hash";
    /// Where one comes from.
    pub const HINT: &str = "make one with `openssl rand -base64 32`";

    /// What is wrong is a fragment that follows the variable's name.
    fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let hashes = lines.map(|line| match line.strip_prefix("sha256:") {
            Some(hash) => HEXLOWER
                .decode(hash.to_ascii_lowercase().as_bytes())
                .ok()
                .and_then(|bytes| KeyHash::from_slice(&bytes))
                .ok_or_else(|| "has a `sha256:` without 64 hexadecimal digits after it".to_owned()),
            None if line.len() < SHORTEST_TOKEN => {
                Err(format!("has a token of fewer than {SHORTEST_TOKEN} characters"))
            }
            None => Ok(KeyHash::of(line)),
        });
        let hashes: Vec<KeyHash> = hashes.collect::<Result<_, _>>()?;
        if hashes.is_empty() { Err("holds no token".to_owned()) } else { Ok(Self(hashes)) }
    }

    /// What a variable holds.
    ///
    /// # Errors
    /// Noted in `environment`.
    pub fn read(environment: &mut Environment, text: &Secret<String>) -> Result<Self, Invalid> {
        Self::parse(text.reveal()).map_err(|wrong| environment.mistake(Self::VARIABLE, wrong, Some(Self::HINT)))
    }

    /// Lets a request pass that presents one of them as its bearer token.
    ///
    /// # Errors
    /// 401.
    pub fn admit(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        // The scheme's case does not matter (RFC 9110 section 11.1).
        let bearer = header
            .and_then(|header| header.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        match bearer {
            Some((_, token)) if self.matches(token.trim()) => Ok(()),
            Some(_) => {
                metrics::counter!("admin_refused_total").increment(1);
                tracing::warn!("a wrong administrator's token was presented");
                Err(Problem::unauthorized("the bearer token is none of an administrator's"))
            }
            None => Err(Problem::unauthorized("send `Authorization: Bearer <administrator's token>`")),
        }
    }

    /// Whether it is one of them. Each is compared, so that the time tells nothing.
    fn matches(&self, token: &str) -> bool {
        self.0.iter().fold(false, |found, hash| found | hash.matches(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("", false)]
    #[case("short", false)]
    #[case("sha256:abc", false)]
    #[case("a-token-of-enough-characters", true)]
    #[case("sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", true)]
    fn tokens(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(AdminTokens::parse(text).is_ok(), valid);
    }

    #[test]
    fn each_line_is_a_token() {
        let tokens = AdminTokens::parse("the-first-token-of-two\nthe-second-token-of-two\n").unwrap();
        assert!(tokens.matches("the-first-token-of-two") && tokens.matches("the-second-token-of-two"));
        assert!(!tokens.matches("the-first-token-of-two\nthe-second-token-of-two") && !tokens.matches(""));
    }
}

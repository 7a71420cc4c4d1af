//! Passwords in URLs: `postgres://app:hunter2@db/notes`.

use super::finding::{Hit, Kind};
use super::values;
use regex::Regex;
use std::sync::LazyLock;

static URL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[a-z][a-z0-9+.-]*://([A-Za-z0-9._%+-]*):([^\s:/?#@'\x22<>\x60]+)@([A-Za-z0-9._-]+)")
        .expect("it is fixed")
});

pub(super) fn hits(text: &str) -> Vec<Hit> {
    let found = URL.captures_iter(text).filter_map(|captures| {
        let (user, password, host) = (captures.get(1)?, captures.get(2)?, captures.get(3)?);
        let is_shown =
            ["example.com", "example.org", "example.net", ".example"].iter().any(|end| host.as_str().ends_with(end));
        let is_real = values::is_secret("password", password.as_str()) && password.as_str() != user.as_str();
        (is_real && !is_shown && !is_comment(text, captures.get(0)?.start()))
            .then(|| Hit::new(Kind::Url, password.range(), "a password in a URL"))
    });
    found.collect()
}

fn is_comment(text: &str, at: usize) -> bool {
    let line = text[..at].rsplit('\n').next().unwrap_or_default().trim_start();
    line.starts_with(['#', ';']) || line.starts_with("//")
}

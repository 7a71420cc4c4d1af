//! Texts that are sought and replaced.

use super::kind::Kind;
use diagnostic::{REDACTED, SHORTEST_SOUGHT_BYTES, quoted_forms};
use serde_json::Value as Json;
use std::borrow::Cow;
use template::SHORTEST_PART;

/// Secret texts in every form that they can take between quotes, the longest first.
pub(super) struct Words(Vec<String>);

impl Words {
    pub(super) fn new(texts: Vec<String>) -> Self {
        let mut words: Vec<String> = texts.iter().flat_map(|text| quoted_forms(text)).collect();
        words.extend(texts);
        words.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        words.dedup();
        Self(words)
    }

    /// Those that are sought by origin only.
    pub(super) fn short(mut self) -> Self {
        self.0.retain(|word| is_short(word));
        self
    }

    /// A text without secrets.
    pub(super) fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.hide_those(text, |_| true)
    }

    /// What is shown for a scalar, when that is not the scalar itself.
    pub(super) fn hidden(&self, kind: Kind, scalar: &Json) -> Option<Json> {
        let is_known = |text: String| self.0.contains(&text).then(|| REDACTED.into());
        match (scalar, kind) {
            (Json::Null, _) => None,
            (_, Kind::Secret) => Some(REDACTED.into()),
            (Json::String(text), Kind::Answer) => changed(self.hide_those(text, |word| !is_short(word))),
            (Json::String(text), _) => changed(self.hide(text)),
            (scalar @ (Json::Number(_) | Json::Bool(_)), Kind::Echo) => is_known(scalar.to_string()),
            _ => None,
        }
    }

    fn hide_those<'t>(&self, text: &'t str, wanted: impl Fn(&str) -> bool) -> Cow<'t, str> {
        let mut hidden = Cow::Borrowed(text);
        for word in self.0.iter().filter(|word| text.contains(word.as_str()) && wanted(word)) {
            let found = if word.chars().count() < SHORTEST_PART {
                without_word(&hidden, word)
            } else {
                hidden.contains(word.as_str()).then(|| hidden.replace(word.as_str(), REDACTED))
            };
            if let Some(found) = found {
                hidden = Cow::Owned(found);
            }
        }
        hidden
    }
}

fn is_short(word: &str) -> bool {
    word.len() < SHORTEST_SOUGHT_BYTES
}

fn changed(hidden: Cow<'_, str>) -> Option<Json> {
    match hidden {
        Cow::Owned(text) => Some(text.into()),
        Cow::Borrowed(_) => None,
    }
}

/// A text without a word where it stands by itself, if it does.
fn without_word(text: &str, word: &str) -> Option<String> {
    let mut left = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in text.match_indices(word) {
        let end = at + word.len();
        let beside = [text[..at].chars().next_back(), text[end..].chars().next()];
        if !beside.into_iter().flatten().any(|character| character.is_alphanumeric() || character == '_') {
            left.push_str(&text[from..at]);
            left.push_str(REDACTED);
            from = end;
        }
    }
    (from > 0).then(|| left + &text[from..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&["4711"], "x4711y 4711", "x********y ********")]
    #[case(&["47"], "x47y 47, 47", "x47y ********, ********")]
    #[case(&["a'b"], r#"'a'\''b' a'b"#, "'********' ********")]
    #[case(&["pin", "pin-4711"], "pin-4711", "********")]
    fn words_are_replaced(#[case] words: &[&str], #[case] text: &str, #[case] expected: &str) {
        let words = Words::new(words.iter().map(|word| (*word).to_owned()).collect());
        assert_eq!(words.hide(text), expected);
    }
}

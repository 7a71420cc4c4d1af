//! How a text looks after something else has written it: quoted, escaped, encoded.

use data_encoding::{BASE64, BASE64URL, Encoding};

/// How long a line of base64 is (RFC 2045, section 6.8), as `base64` of coreutils breaks them.
const BASE64_LINE: usize = 76;

/// The forms of a text between quotes of JSON, Python or a POSIX shell, where they differ from the text itself.
pub(crate) fn quoted(text: &str) -> Vec<String> {
    let mut forms = vec![
        escaped(text, Some('"'), false),
        escaped(text, Some('"'), true),
        // Python's `repr` takes the quotes that the text does not have, and escapes only if it has both.
        escaped(text, None, false),
        escaped(text, Some('\''), false),
        text.replace('\'', r"'\''"),
        // `shlex.quote` of Python.
        text.replace('\'', r#"'"'"'"#),
    ];
    forms.retain(|form| form != text);
    forms
}

/// The forms of a text in URLs.
pub(crate) fn percent(text: &str) -> Vec<String> {
    let mut forms = vec![percent_encoded(text, "", false), percent_encoded(text, "/", false)];
    forms.push(percent_encoded(text, "", true));
    forms.retain(|form| form != text);
    forms
}

/// The base64 of a text, in both alphabets: by itself, and what of it stands in the base64 of any longer text.
pub(crate) fn base64(text: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for encoding in [BASE64, BASE64URL] {
        let whole = encoding.encode(text.as_bytes());
        let whole = whole.trim_end_matches('=');
        forms.push(whole.to_owned());
        if whole.len() > BASE64_LINE {
            forms.extend(whole.as_bytes().chunks(BASE64_LINE).map(|line| String::from_utf8_lossy(line).into_owned()));
        }
        forms.extend((0..3).map(|before| inner(&encoding, text.as_bytes(), before)));
    }
    forms
}

/// The characters that a text has in the base64 of a longer one in which `before` bytes, counted modulo 3, come first:
/// those whose six bits are all the text's.
fn inner(encoding: &Encoding, text: &[u8], before: usize) -> String {
    let encoded = encoding.encode(&[&[0; 2][..before], text].concat());
    let first = (before * 8).div_ceil(6);
    let end = (before + text.len()) * 8 / 6;
    encoded.get(first..end).unwrap_or_default().to_owned()
}

fn escaped(text: &str, quote: Option<char>, ascii: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => escaped.push_str(r"\\"),
            '\n' => escaped.push_str(r"\n"),
            '\r' => escaped.push_str(r"\r"),
            '\t' => escaped.push_str(r"\t"),
            _ if Some(character) == quote => escaped.extend(['\\', character]),
            _ if !character.is_ascii() && ascii => {
                let mut units = [0; 2];
                escaped.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Percent-encoding (RFC 3986, section 2.1): all but the unreserved characters and those of `safe`.
fn percent_encoded(text: &str, safe: &str, plus: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let character = char::from(byte);
        match character {
            ' ' if plus => encoded.push('+'),
            _ if byte.is_ascii_alphanumeric() || "-._~".contains(character) || safe.contains(character) => {
                encoded.push(character);
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(r#"say "hi""#, r#"say \"hi\""#)]
    #[case("tab\there", r"tab\there")]
    #[case("grün", r"gr\u00fcn")]
    #[case("it's", r#"it'"'"'s"#)]
    #[case("it's", r"it'\''s")]
    #[case(r"back\slash", r"back\\slash")]
    fn quotes_escape(#[case] text: &str, #[case] expected: &str) {
        assert!(quoted(text).iter().any(|form| form == expected), "{:?}", quoted(text));
    }

    #[rstest]
    #[case("a/b c", "a%2Fb%20c")]
    #[case("a/b c", "a/b%20c")]
    #[case("a/b c", "a%2Fb+c")]
    fn urls_encode(#[case] text: &str, #[case] expected: &str) {
        assert!(percent(text).iter().any(|form| form == expected), "{:?}", percent(text));
    }

    #[test]
    fn plain_text_has_no_other_form() {
        assert!(quoted("hunter2hunter2").is_empty() && percent("hunter2hunter2").is_empty());
    }

    #[rstest]
    fn base64_is_known_wherever_the_text_stands(#[values("", "u", "us", "user:")] before: &str) {
        let secret = "correct?horse~";
        for encoding in [BASE64, BASE64URL] {
            let longer = encoding.encode(format!("{before}{secret}@host").as_bytes());
            assert!(base64(secret).iter().any(|form| longer.contains(form)), "{longer}");
        }
    }
}

//! Text as a YAML scalar that every reader takes for that text: ours, PyYAML and Helm's.

/// Words that YAML 1.1 takes for booleans or nothing. <https://yaml.org/type/bool.html>
const WORDS: [&str; 12] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "~"];

/// As it is where nothing can take it for something else, else in double quotes (a JSON string is a YAML one).
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { serde_json::to_string(text).expect("a text is always JSON") }
}

fn is_plain(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || " ._/-".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
        && text.chars().all(allowed)
        && !text.ends_with(' ')
        && !WORDS.contains(&text.to_lowercase().as_str())
        && !may_be_a_number(text)
}

/// Numbers and dates begin with a digit. `1.2.3` is neither: it has two dots.
fn may_be_a_number(text: &str) -> bool {
    let is_version = text.split('.').count() > 2;
    let has_word = text.chars().any(|c| c.is_ascii_alphabetic() && !"xobeEabcdfABCDF".contains(c));
    text.starts_with(|c: char| c.is_ascii_digit()) && !is_version && !has_word
}

#[cfg(test)]
mod tests {
    use super::scalar;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("redis", "redis")]
    #[case("7.4.11-bookworm", "7.4.11-bookworm")]
    #[case("1.2.3", "1.2.3")]
    #[case("2.53", "\"2.53\"")]
    #[case("17", "\"17\"")]
    #[case("1e3", "\"1e3\"")]
    #[case("0x1f", "\"0x1f\"")]
    #[case("2026-01-02", "\"2026-01-02\"")]
    #[case("Yes", "\"Yes\"")]
    #[case("a: b", "\"a: b\"")]
    #[case("a #b", "\"a #b\"")]
    #[case("a store, in memory", "\"a store, in memory\"")]
    #[case("/data", "/data")]
    #[case("", "\"\"")]
    fn as_plain_as_it_can_be(#[case] text: &str, #[case] written: &str) {
        assert_eq!(scalar(text), written);
    }

    proptest! {
        #[test]
        fn every_text_is_read_back(text in "[a-zA-Z0-9 ._/:#'\"\\\\{}\\[\\],&*!|>%@`~éß-]{0,20}") {
            let written = format!("key: {}\nflow: {{inner: {0}}}\n", scalar(&text));
            let read: serde_json::Value = serde_saphyr::from_str(&written).unwrap();
            prop_assert_eq!(&read["key"], &serde_json::Value::String(text.clone()));
            prop_assert_eq!(&read["flow"]["inner"], &serde_json::Value::String(text));
        }
    }
}

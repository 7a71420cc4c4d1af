//! Rules for names and texts.

use service::Detail;

/// `^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`: names of types and groups, and keys of tags.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.as_bytes()[0].is_ascii_alphanumeric()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// Notes texts that are too long or hold control characters (PostgreSQL cannot store U+0000, and logs want one line).
pub(crate) fn texts_are_plain<'a>(
    mistakes: &mut Vec<Detail>,
    texts: impl IntoIterator<Item = (&'a str, Option<&'a str>, usize)>,
) {
    for (pointer, text, longest) in texts {
        let Some(text) = text else { continue };
        if text.chars().count() > longest {
            let detail = format!("has more than {longest} characters");
            mistakes.push(Detail { pointer: pointer.to_owned(), detail });
        }
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            mistakes.push(Detail { pointer: pointer.to_owned(), detail: "has control characters".to_owned() });
        }
    }
}

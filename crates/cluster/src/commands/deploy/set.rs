//! `--set`, looked at before anything is touched: what Helm would refuse for certain (`pkg/strvals` of Helm 3 and 4).

use crate::exit::{Failure, Result};

/// Refuses values that have not the form `key.path=value`.
pub(super) fn check(values: &[String]) -> Result<()> {
    let wrong = values.iter().find_map(|value| Some((value, objection(value)?)));
    let Some((value, objection)) = wrong else { return Ok(()) };
    let hint = "write `--set key.path=value`, such as `--set image.tag=1.2` or `--set 'hosts[0]=a'`; a comma in a value is `\\,`";
    Err(Failure::usage(format!("`--set {value}`: {objection}")).hinted(hint).into())
}

fn objection(text: &str) -> Option<String> {
    let mut rest = text;
    if text.is_empty() {
        return Some("it is empty".to_owned());
    }
    while !rest.is_empty() {
        let (key, after) = match split(rest, &['=', ',']) {
            Some((key, '=', after)) => (key, after),
            Some((key, ..)) => return Some(format!("`{key}` has no value")),
            None => return Some(format!("`{rest}` has no value")),
        };
        if let Some(objection) = wrong_index(key) {
            return Some(objection);
        }
        let after = match after.strip_prefix('{') {
            Some(list) => match split(list, &['}']) {
                Some((_, _, after)) => after,
                None => return Some(format!("the list of `{key}` is never closed, a `}}` is missing")),
            },
            None => after,
        };
        rest = split(after, &[',']).map_or("", |(_, _, next)| next);
    }
    None
}

/// `hosts[0]`: each `[` has a number and a `]`.
fn wrong_index(key: &str) -> Option<String> {
    let (_, _, index) = split(key, &['['])?;
    match split(index, &[']']) {
        Some((number, _, rest)) if number.parse::<u32>().is_ok() => wrong_index(rest),
        Some((number, ..)) => Some(format!("`[{number}]` in `{key}` is no number")),
        None => Some(format!("`[` in `{key}` is never closed")),
    }
}

/// The text before the first of the characters, which one it is, and what follows. A backslash takes the next one its meaning.
fn split<'t>(text: &'t str, stops: &[char]) -> Option<(&'t str, char, &'t str)> {
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        if character == '\\' {
            characters.next();
        } else if stops.contains(&character) {
            return Some((&text[..at], character, &text[at + character.len_utf8()..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("a=1")]
    #[case("a.b=1,c=")]
    #[case("a=1,")]
    #[case("list={a,b},next=1")]
    #[case("hosts[0].name=x")]
    #[case(r"motto=one\, two")]
    #[case(r"node\.kubernetes\.io/arch=amd64")]
    #[case("a=b=c")]
    fn what_helm_takes_is_taken(#[case] value: &str) {
        assert_eq!(objection(value), None);
    }

    #[rstest]
    #[case("", "it is empty")]
    #[case("foo", "`foo` has no value")]
    #[case("a=1,foo", "`foo` has no value")]
    #[case("a=1,,b=2", "`` has no value")]
    #[case("a[=1", "`[` in `a[` is never closed")]
    #[case("a[x]=1", "`[x]` in `a[x]` is no number")]
    #[case("a={1,2", "the list of `a` is never closed, a `}` is missing")]
    fn what_helm_refuses_is_refused(#[case] value: &str, #[case] expected: &str) {
        assert_eq!(objection(value).as_deref(), Some(expected));
    }
}

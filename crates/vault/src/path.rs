//! Paths as people write them in settings: `~` and `$HOME` mean something (ansible-core 2.19, `unfrackpath`).

use std::path::PathBuf;

/// With variables of the environment and the home directory filled in. What is not known stays as it is.
pub(crate) fn expand(path: &str, variable: impl Fn(&str) -> Option<String>) -> PathBuf {
    let path = expand_variables(path, &variable);
    let home = || variable("HOME").or_else(|| std::env::home_dir()?.into_os_string().into_string().ok());
    match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => match home() {
            Some(home) => PathBuf::from(home.trim_end_matches('/').to_owned() + rest),
            None => PathBuf::from(path),
        },
        _ => PathBuf::from(path),
    }
}

fn expand_variables(path: &str, variable: &impl Fn(&str) -> Option<String>) -> String {
    let mut expanded = String::new();
    let mut rest = path;
    while let Some(start) = rest.find('$') {
        expanded += &rest[..start];
        let (written, name) = reference(&rest[start..]);
        match variable(name) {
            Some(value) if !name.is_empty() => expanded += &value,
            _ => expanded += written,
        }
        rest = &rest[start + written.len()..];
    }
    expanded + rest
}

/// `$NAME` or `${NAME}` at the beginning, and the name in it.
fn reference(text: &str) -> (&str, &str) {
    if let Some(inside) = text.strip_prefix("${") {
        return match inside.find('}') {
            Some(end) => (&text[..end + 3], &inside[..end]),
            None => (&text[..2], ""),
        };
    }
    let name = &text[1..];
    let end = name.find(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    let name = &name[..end.unwrap_or(name.len())];
    (&text[..=name.len()], name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("a/b", "a/b")]
    #[case("~", "/home/pi")]
    #[case("~/pass", "/home/pi/pass")]
    #[case("~other/pass", "~other/pass")]
    #[case("a~/b", "a~/b")]
    #[case("$HOME/pass", "/home/pi/pass")]
    #[case("/x/${NAME}/$NAME.txt", "/x/value/value.txt")]
    #[case("$NONE/${NONE}", "$NONE/${NONE}")]
    #[case("$", "$")]
    #[case("${NAME", "${NAME")]
    #[case("é$é", "é$é")]
    fn paths(#[case] path: &str, #[case] expected: &str) {
        let variable = |name: &str| match name {
            "HOME" => Some("/home/pi".to_owned()),
            "NAME" => Some("value".to_owned()),
            _ => None,
        };
        assert_eq!(expand(path, variable), PathBuf::from(expected));
    }
}

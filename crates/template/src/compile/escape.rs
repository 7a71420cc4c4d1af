//! Backslashes in string constants of `{{ … }}`: Ansible takes them literally, since YAML has read them once already
//! (ansible-core 2.19, `AnsibleLexer.tokeniter`). `{% … %}`, bare expressions and template files keep Jinja's escapes.

/// A text with backslashes doubled where needed, and the way back to the original offsets.
pub(crate) struct Escaped {
    pub(crate) text: String,
    /// Offsets in `text` at which a byte was inserted.
    inserted: Vec<u32>,
}

impl Escaped {
    /// The text as it is.
    pub(crate) fn unchanged(text: &str) -> Self {
        Self { text: text.to_owned(), inserted: Vec::new() }
    }

    /// The text with backslashes in the strings of its `{{ … }}` doubled.
    pub(crate) fn in_variables(text: &str) -> Self {
        if text.contains('\\') { double(text) } else { Self::unchanged(text) }
    }

    /// The offset in the original text.
    pub(crate) fn original(&self, offset: u32) -> u32 {
        offset - u32::try_from(self.inserted.partition_point(|at| *at < offset)).unwrap_or(0)
    }
}

#[derive(PartialEq)]
enum State {
    Text,
    Variable,
    Block,
    Comment,
    String(char),
}

fn double(text: &str) -> Escaped {
    let mut escaped = Escaped { text: String::with_capacity(text.len() + 8), inserted: Vec::new() };
    let mut state = State::Text;
    let mut raw = false;
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let mut take = character.len_utf8();
        match &state {
            State::Text if raw && is_tag(rest, "endraw") => (raw, state) = (false, State::Block),
            State::Text if raw => {}
            State::Text => {
                raw = is_tag(rest, "raw");
                let next = match rest.get(..2) {
                    Some("{{") => Some(State::Variable),
                    Some("{%") => Some(State::Block),
                    Some("{#") => Some(State::Comment),
                    _ => None,
                };
                if let Some(next) = next {
                    state = next;
                    take = 2;
                }
            }
            State::Variable if rest.starts_with("}}") => (state, take) = (State::Text, 2),
            State::Block if rest.starts_with("%}") => (state, take) = (State::Text, 2),
            State::Comment if rest.starts_with("#}") => (state, take) = (State::Text, 2),
            State::Variable if matches!(character, '"' | '\'') => state = State::String(character),
            State::String(quote) if *quote == character => state = State::Variable,
            State::String(_) if character == '\\' => {
                escaped.insert_backslash();
                // A quote after a backslash stays inside the string, and the backslash with it.
                let follower = rest[1..].chars().next();
                if let Some(quote @ ('"' | '\'')) = follower {
                    escaped.text.push('\\');
                    escaped.insert_backslash();
                    escaped.text.push(quote);
                    rest = &rest[2..];
                    continue;
                }
                if follower == Some('\\') {
                    escaped.text.push('\\');
                    escaped.insert_backslash();
                    escaped.text.push('\\');
                    rest = &rest[2..];
                    continue;
                }
            }
            _ => {}
        }
        escaped.text.push_str(&rest[..take]);
        rest = &rest[take..];
    }
    escaped
}

impl Escaped {
    fn insert_backslash(&mut self) {
        self.inserted.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        self.text.push('\\');
    }
}

fn is_tag(text: &str, name: &str) -> bool {
    let Some(rest) = text.strip_prefix("{%") else { return false };
    let rest = rest.trim_start_matches(['-', '+']).trim_start();
    rest.strip_prefix(name).is_some_and(|rest| rest.trim_start().trim_start_matches(['-', '+']).starts_with("%}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(r"{{ '\n' }}", r"{{ '\\n' }}")]
    #[case(r"a\b {{ x }}", r"a\b {{ x }}")]
    #[case(r"{% set a = '\n' %}{{ '\1' }}", r"{% set a = '\n' %}{{ '\\1' }}")]
    #[case(r"{{ '\'' }}", r"{{ '\\\'' }}")]
    #[case(r"{{ '\\' }}", r"{{ '\\\\' }}")]
    #[case(r"{% raw %}{{ '\n' }}{% endraw %}", r"{% raw %}{{ '\n' }}{% endraw %}")]
    fn doubles_only_in_variables(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(Escaped::in_variables(text).text, expected);
    }

    #[test]
    fn offsets_lead_back() {
        let escaped = Escaped::in_variables(r"{{ '\n' ~ foo }}");
        let at = escaped.text.find("foo").unwrap();
        assert_eq!(escaped.original(at as u32), 10);
    }
}

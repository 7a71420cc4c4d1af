//! The `k=v` form of module arguments, split exactly as Ansible does it (`ansible/parsing/splitter.py`, 2.19): white space
//! separates, except within quotes and Jinja blocks.

/// Parameters and free-form text found in a line of arguments.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// `k=v` pairs, in order.
    pub(crate) parameters: Vec<(String, String)>,
    /// What is left, joined again as it was.
    pub(crate) free_form: Option<String>,
}

/// What a free-form module still takes as `k=v` within its line.
const OPTIONS_OF_FREE_FORM: [&str; 8] =
    ["creates", "removes", "chdir", "executable", "warn", "stdin", "stdin_add_newline", "strip_empty_ends"];

/// Reads a line of arguments. In a free-form module (`command`, `shell`) only the options of those modules are taken out.
pub(crate) fn parse(text: &str, is_free_form: bool) -> Result<Line, Unbalanced> {
    let mut line = Line::default();
    let mut rest: Vec<String> = Vec::new();
    for word in split(text)? {
        let decoded = decode_escapes(&word);
        match (decoded.contains('='), unescaped_equals(&decoded)) {
            (false, _) => rest.push(word),
            (true, None) => rest.push(decoded.replace("\\=", "=")),
            (true, Some(at)) => {
                let name = &decoded[..at];
                if is_free_form && !OPTIONS_OF_FREE_FORM.contains(&name) {
                    rest.push(word);
                } else {
                    let value = unquote(decoded[at + 1..].trim()).to_owned();
                    line.parameters.push((name.trim().to_owned(), value));
                }
            }
        }
    }
    if !rest.is_empty() {
        line.free_form = Some(join(&rest));
    }
    Ok(line)
}

/// Reads a line of `k=v` pairs; nothing when a quote or block is not closed.
pub(crate) fn parse_pairs(text: &str) -> Option<Line> {
    parse(text, false).ok()
}

/// A quote or a Jinja block that is opened and not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unbalanced;

/// Where the first `=` stands that is not at the start and not escaped.
fn unescaped_equals(word: &str) -> Option<usize> {
    let bytes = word.as_bytes();
    (1..bytes.len()).find(|&at| bytes[at] == b'=' && bytes[at - 1] != b'\\')
}

fn unquote(text: &str) -> &str {
    let quote = match text.as_bytes() {
        [first @ (b'"' | b'\''), .., last] if first == last => *first as char,
        _ => return text,
    };
    if text.as_bytes()[text.len() - 2] == b'\\' && text.len() > 2 {
        return text;
    }
    text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote)).unwrap_or(text)
}

/// `\n`, `\t`, `\x41`, `\u00e9`, … as `_decode_escapes` has them; anything else stays as written.
fn decode_escapes(word: &str) -> String {
    let mut decoded = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find('\\') {
        decoded.push_str(&rest[..at]);
        let (character, length) = escape(&rest[at..]);
        match character {
            Some(character) => decoded.push(character),
            None => decoded.push_str(&rest[at..at + length]),
        }
        rest = &rest[at + length..];
    }
    decoded.push_str(rest);
    decoded
}

/// The character that an escape sequence stands for, and its length in bytes.
fn escape(text: &str) -> (Option<char>, usize) {
    let hex = |digits: usize| {
        let code = text.get(2..2 + digits).and_then(|code| u32::from_str_radix(code, 16).ok());
        match code.and_then(char::from_u32) {
            Some(character) => (Some(character), 2 + digits),
            None => (None, 1),
        }
    };
    match text.as_bytes().get(1) {
        Some(b'x') => hex(2),
        Some(b'u') => hex(4),
        Some(b'U') => hex(8),
        Some(b'\\') => (Some('\\'), 2),
        Some(b'\'') => (Some('\''), 2),
        Some(b'"') => (Some('"'), 2),
        Some(b'a') => (Some('\u{7}'), 2),
        Some(b'b') => (Some('\u{8}'), 2),
        Some(b'f') => (Some('\u{c}'), 2),
        Some(b'n') => (Some('\n'), 2),
        Some(b'r') => (Some('\r'), 2),
        Some(b't') => (Some('\t'), 2),
        Some(b'v') => (Some('\u{b}'), 2),
        _ => (None, 1),
    }
}

fn join(words: &[String]) -> String {
    let mut joined = String::new();
    for word in words {
        if !joined.is_empty() && !joined.ends_with('\n') {
            joined.push(' ');
        }
        joined.push_str(word);
    }
    joined
}

/// How deep the words read so far stand in quotes and Jinja blocks.
#[derive(Default)]
struct Depth {
    quote: Option<char>,
    blocks: [usize; 3],
}

const BLOCKS: [(&str, &str); 3] = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")];

impl Depth {
    fn in_block(&self) -> bool {
        self.blocks.iter().any(|depth| *depth > 0)
    }

    fn read_quotes(&mut self, token: &str) {
        let mut previous = None;
        for character in token.chars() {
            if matches!(character, '"' | '\'') && previous != Some('\\') {
                match self.quote {
                    Some(quote) if quote == character => self.quote = None,
                    Some(_) => {}
                    None => self.quote = Some(character),
                }
            }
            previous = Some(character);
        }
    }

    /// Whether a block was opened or closed by the token.
    fn read_block(&mut self, kind: usize, token: &str) -> bool {
        let (open, close) = (token.matches(BLOCKS[kind].0).count(), token.matches(BLOCKS[kind].1).count());
        let before = self.blocks[kind];
        self.blocks[kind] = (before + open).saturating_sub(close);
        self.blocks[kind] != before
    }
}

/// Words of a line, with white space inside quotes and blocks, and newlines, kept.
pub(crate) fn split(text: &str) -> Result<Vec<String>, Unbalanced> {
    let mut words: Vec<String> = Vec::new();
    let mut depth = Depth::default();
    if text.is_empty() {
        return Ok(words);
    }
    let lines: Vec<&str> = text.split('\n').collect();
    for (number, line) in lines.iter().enumerate() {
        let mut is_continued = false;
        for (index, token) in line.split(' ').enumerate() {
            if token.is_empty() && index != 0 {
                last(&mut words).push(' ');
            } else if token == "\\" && depth.quote.is_none() {
                is_continued = true;
            } else {
                read_token(&mut words, &mut depth, token, index);
            }
        }
        if number + 1 != lines.len() && !is_continued {
            last(&mut words).push('\n');
        }
    }
    if depth.quote.is_some() || depth.in_block() {
        return Err(Unbalanced);
    }
    Ok(words)
}

fn read_token(words: &mut Vec<String>, depth: &mut Depth, token: &str, index: usize) {
    let was_quoted = depth.quote.is_some();
    depth.read_quotes(token);
    let is_quoted = depth.quote.is_some();
    let mut is_kept = false;
    if is_quoted && !was_quoted && !depth.in_block() {
        words.push(token.to_owned());
        is_kept = true;
    } else if depth.in_block() || is_quoted || was_quoted {
        let word = last(words);
        if index > 0 {
            word.push(' ');
        }
        word.push_str(token);
        is_kept = true;
    }
    for kind in 0..BLOCKS.len() {
        if depth.read_block(kind, token) && !is_kept {
            words.push(token.to_owned());
            is_kept = true;
        }
    }
    if !depth.in_block() && !is_quoted && !is_kept && !token.is_empty() {
        words.push(token.to_owned());
    }
}

fn last(words: &mut Vec<String>) -> &mut String {
    if words.is_empty() {
        words.push(String::new());
    }
    let end = words.len() - 1;
    &mut words[end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("a=b c=\"foo bar\"", &["a=b", "c=\"foo bar\""])]
    #[case("echo {{ a b }} c", &["echo", "{{ a b }}", "c"])]
    #[case("a  b", &["a ", "b"])]
    #[case("one\ntwo", &["one\n", "two"])]
    #[case("one \\\ntwo", &["one", "two"])]
    #[case("x={{ y | default('a b') }}/z", &["x={{ y | default('a b') }}/z"])]
    fn words_are_split_as_ansible_splits_them(#[case] line: &str, #[case] expected: &[&str]) {
        assert_eq!(split(line).unwrap(), expected);
    }

    #[rstest]
    #[case("echo 'a")]
    #[case("echo {{ a")]
    fn what_is_not_closed_is_an_error(#[case] line: &str) {
        assert_eq!(split(line), Err(Unbalanced));
    }

    #[test]
    fn a_command_keeps_its_own_options_only() {
        let line = parse("creates=/x FOO=bar make  'a b=c'", true).unwrap();
        assert_eq!(line.parameters, [("creates".to_owned(), "/x".to_owned())]);
        assert_eq!(line.free_form.as_deref(), Some("FOO=bar make  'a b=c'"));
    }

    #[test]
    fn other_modules_take_every_pair() {
        let line = parse("src=a dest=\"/b c\" mode=0644", false).unwrap();
        let expected = [("src", "a"), ("dest", "/b c"), ("mode", "0644")];
        assert_eq!(line.parameters, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(line.free_form, None);
    }

    proptest::proptest! {
        #[test]
        fn any_line_is_read_or_refused(line in "[ -~\n\\\\é'\"{}%#=]{0,60}") {
            let _ = parse(&line, true);
            let _ = parse(&line, false);
        }
    }
}

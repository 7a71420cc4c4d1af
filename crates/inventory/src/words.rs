//! A host line as words, as Python's `shlex.split(line, comments=True)` splits it, with the place of each.

/// One word, its quotes removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub text: String,
    /// Where it begins in the line, in characters from 0.
    pub column: usize,
    /// How many characters it takes there, quotes included.
    pub length: usize,
}

/// What is wrong, and at which character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unfinished {
    pub message: &'static str,
    pub column: usize,
}

/// Splits at blanks; `"…"` and `'…'` hold together, `\` takes the next character as it is, `#` begins a comment anywhere
/// outside quotes, also inside a word.
pub(crate) fn split(line: &str) -> Result<Vec<Word>, Unfinished> {
    let mut splitter = Splitter { words: Vec::new(), open: None };
    let mut characters = line.chars().enumerate();
    while let Some((column, character)) = characters.next() {
        match character {
            '#' => {
                splitter.end(column);
                break;
            }
            ' ' | '\t' | '\r' | '\n' => splitter.end(column),
            '\\' => {
                let (_, escaped) =
                    characters.next().ok_or(Unfinished { message: "nothing follows the backslash", column })?;
                splitter.at(column).push(escaped);
            }
            '\'' | '"' => quoted(character, column, &mut characters, splitter.at(column))?,
            other => splitter.at(column).push(other),
        }
    }
    let end = line.chars().count();
    splitter.end(end);
    Ok(splitter.words)
}

struct Splitter {
    words: Vec<Word>,
    open: Option<Word>,
}

impl Splitter {
    fn at(&mut self, column: usize) -> &mut String {
        &mut self.open.get_or_insert_with(|| Word { text: String::new(), column, length: 0 }).text
    }

    fn end(&mut self, column: usize) {
        if let Some(word) = self.open.take() {
            self.words.push(Word { length: column - word.column, ..word });
        }
    }
}

fn quoted(
    quote: char,
    opened: usize,
    characters: &mut impl Iterator<Item = (usize, char)>,
    text: &mut String,
) -> Result<(), Unfinished> {
    let unclosed = Unfinished { message: "this quote is never closed", column: opened };
    loop {
        match characters.next() {
            None => return Err(unclosed),
            Some((_, character)) if character == quote => return Ok(()),
            // Between double quotes a backslash escapes only itself and the quote.
            Some((_, '\\')) if quote == '"' => match characters.next() {
                None => return Err(unclosed),
                Some((_, escaped)) => {
                    if !matches!(escaped, '\\' | '"') {
                        text.push('\\');
                    }
                    text.push(escaped);
                }
            },
            Some((_, character)) => text.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::split;
    use rstest::rstest;

    /// Each row was compared with Python's `shlex.split(line, comments=True)`.
    #[rstest]
    #[case("pi-1 a=1  b=2", &["pi-1", "a=1", "b=2"])]
    #[case("pi-1 a='x y' b=\"p q\"", &["pi-1", "a=x y", "b=p q"])]
    #[case("pi-1 a=b # c", &["pi-1", "a=b"])]
    #[case("pi-1 a=b#c d", &["pi-1", "a=b"])]
    #[case("pi-1 a='#' b", &["pi-1", "a=#", "b"])]
    #[case("a=\"x\\\"y\" b='\\' c=\\ d", &["a=x\"y", "b=\\", "c= d"])]
    #[case("a=\"\\n\"", &["a=\\n"])]
    #[case("'' x", &["", "x"])]
    #[case("   ", &[])]
    fn words_are_shlexs(#[case] line: &str, #[case] expected: &[&str]) {
        let words = split(line).unwrap();
        assert_eq!(words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn words_know_their_place() {
        let words = split("é  a='x y'#c").unwrap();
        assert_eq!((words[1].column, words[1].length), (3, 7));
    }

    #[test]
    fn what_is_not_closed_is_named() {
        assert_eq!(split("a 'b").unwrap_err().column, 2);
        assert_eq!(split("a \\").unwrap_err().message, "nothing follows the backslash");
    }
}

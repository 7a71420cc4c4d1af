//! Splits a command line as Python's `shlex.split` does, which is how ansible-core splits `command` and `validate`: unlike in a
//! shell, `#` begins no comment, and a backslash before a newline keeps the newline.

use super::Failure;

/// The words of a line.
pub(crate) fn split(line: &str) -> Result<Vec<String>, Failure> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => {
                let next = rest.next().ok_or_else(|| refused(line, "No escaped character"))?;
                let word = word.get_or_insert_default();
                if quote.is_some() && next != '"' && next != '\\' {
                    word.push('\\');
                }
                word.push(next);
            }
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (_, Some(open)) if c == open => quote = None,
            (' ' | '\t' | '\r' | '\n', None) => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err(refused(line, "No closing quotation"));
    }
    words.extend(word);
    Ok(words)
}

fn refused(line: &str, why: &str) -> Failure {
    Failure::message(format!("cannot split the command line into words: {why}: {line}"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::message;
    use super::split;
    use proptest::prelude::*;
    use rstest::rstest;

    // Expected values: Python 3.11's shlex.split.
    #[rstest]
    #[case("a  b\tc\nd", &["a", "b", "c", "d"])]
    #[case("a #b", &["a", "#b"])]
    #[case("'a b'\"c d\"e", &["a bc de"])]
    #[case("'' \"\"", &["", ""])]
    #[case("a\\ b \"\\\"\\\\\\n\" '\\'", &["a b", "\"\\\\n", "\\"])]
    #[case("a\\\nb", &["a\nb"])]
    #[case("a\"b", &[])]
    fn splits(#[case] line: &str, #[case] expected: &[&str]) {
        assert_eq!(split(line).unwrap_or_default(), expected);
    }

    #[rstest]
    #[case("a 'b", "cannot split the command line into words: No closing quotation: a 'b")]
    #[case("a \\", "cannot split the command line into words: No escaped character: a \\")]
    fn refuses(#[case] line: &str, #[case] expected: &str) {
        assert_eq!(message(split(line).unwrap_err()), expected);
    }

    proptest! {
        #[test]
        fn quoted_words_come_back(words in proptest::collection::vec("[^']*", 0..5)) {
            let line: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
            prop_assert_eq!(split(&line.join(" ")).ok().unwrap(), words);
        }

        #[test]
        fn never_panics(line in ".*") {
            drop(split(&line));
        }
    }
}

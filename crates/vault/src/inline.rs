//! Encrypted values inside a YAML file: written as `ansible-vault encrypt_string` does, found and read again.

use crate::has_header;
use std::ops::Range;

/// Blanks before each line of an inline value (ansible-core 2.19, `VaultCLI.format_ciphertext_yaml`).
pub const INDENT: usize = 10;

/// An encrypted value in a YAML file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlineValue {
    /// The name before it, if one stands on the same line.
    pub name: Option<String>,
    /// The line of the tag, from 1.
    pub line: u32,
    /// The column of the tag, from 1.
    pub column: u32,
    /// What is before each of its lines.
    pub indent: String,
    /// Where its lines stand in the file: bytes, from the beginning of its first line to the end of its last one.
    pub lines: Range<usize>,
    /// The envelope, without what is before its lines.
    pub envelope: String,
}

impl InlineValue {
    /// The lines that take the place of [`InlineValue::lines`] for another envelope.
    pub fn replacement(&self, envelope: &str) -> String {
        let lines: Vec<String> = envelope.lines().map(|line| format!("{}{line}", self.indent)).collect();
        lines.join("\n")
    }
}

/// An envelope as a YAML value, `name: !vault |` and indented lines; without an end of line, as Ansible has it.
pub fn to_inline(envelope: &str, name: Option<&str>) -> String {
    let mut text = name.map(|name| format!("{name}: ")).unwrap_or_default() + "!vault |";
    for line in envelope.lines() {
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', INDENT));
        text += line;
    }
    text
}

/// The envelope in what somebody copied out of a YAML file: with or without the line of its tag, however far indented.
/// `None` when there is none.
pub fn from_inline(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim).skip_while(|line| line.is_empty()).peekable();
    if lines.peek().is_some_and(|line| tag(line).is_some()) {
        lines.next();
    }
    let mut envelope = String::new();
    for line in lines {
        envelope += line;
        envelope.push('\n');
    }
    let envelope = envelope.trim_start();
    has_header(envelope.as_bytes()).then(|| envelope.trim_end().to_owned() + "\n")
}

/// All encrypted values in a YAML file that are written as blocks. Looks at lines only, so that it also finds them in a
/// file that has mistakes elsewhere.
pub fn find_inline(text: &str) -> Vec<InlineValue> {
    let mut lines = Lines { text, offset: 0, number: 0 }.peekable();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let Some((name, column)) = tag(line.text) else { continue };
        let outer = indent(line.text).len();
        let mut block: Vec<Line<'_>> = Vec::new();
        while let Some(next) = lines
            .next_if(|next| next.text.trim().is_empty() || indent(next.text).len() > outer || is_flush(&block, next))
        {
            block.push(next);
        }
        while block.last().is_some_and(|line| line.text.trim().is_empty()) {
            block.pop();
        }
        let (Some(first), Some(last)) = (block.first(), block.last()) else { continue };
        if !has_header(first.text.trim().as_bytes()) {
            continue;
        }
        found.push(InlineValue {
            name,
            line: line.number,
            column,
            indent: indent(first.text).to_owned(),
            lines: first.offset..last.offset + last.text.len(),
            envelope: block.iter().map(|line| line.text.trim().to_owned() + "\n").collect(),
        });
    }
    found
}

/// At the top of a file a block need not be indented.
fn is_flush(block: &[Line<'_>], next: &Line<'_>) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match block.first() {
        None => has_header(next.text.as_bytes()),
        Some(first) => indent(first.text).is_empty() && is_digits(next.text),
    }
}

struct Line<'a> {
    text: &'a str,
    offset: usize,
    number: u32,
}

/// Lines without their ends, each with its place.
struct Lines<'a> {
    text: &'a str,
    offset: usize,
    number: u32,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let rest = self.text.get(self.offset..).filter(|rest| !rest.is_empty())?;
        let whole = rest.split_inclusive('\n').next()?;
        let line = Line { text: whole.trim_end_matches(['\n', '\r']), offset: self.offset, number: self.number + 1 };
        (self.offset, self.number) = (self.offset + whole.len(), line.number);
        Some(line)
    }
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The name before `!vault |`, and the column of the tag.
fn tag(line: &str) -> Option<(Option<String>, u32)> {
    let start = line.find("!vault")?;
    let (before, after) = line.split_at(start);
    let after = after["!vault".len()..].strip_prefix("-encrypted").unwrap_or(&after["!vault".len()..]);
    let block = after.trim_start().split([' ', '\t']).next()?;
    let is_block = after.starts_with([' ', '\t'])
        && block.starts_with(['|', '>'])
        && block[1..].chars().all(|sign| matches!(sign, '+' | '-' | '1'..='9'));
    let before = before.trim();
    // In a list: `- !vault |`, `- name: !vault |`.
    let name = before.trim_start_matches(['-', '?', ' ']).strip_suffix(':').map(|name| name.trim().to_owned());
    let is_value = name.is_some() || before.trim_matches(['-', ' ']).is_empty();
    if !is_block || !is_value || before.starts_with('#') {
        return None;
    }
    let name = name.map(|name| name.trim_matches(['"', '\'']).to_owned()).filter(|name| !name.is_empty());
    Some((name, u32::try_from(line[..start].chars().count() + 1).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const ENVELOPE: &str = "$ANSIBLE_VAULT;1.1;AES256\n6162\n63\n";

    #[test]
    fn written_as_ansible_writes_it() {
        let value = "!vault |\n          $ANSIBLE_VAULT;1.1;AES256\n          6162\n          63";
        assert_eq!(to_inline(ENVELOPE, None), value);
        assert_eq!(to_inline(ENVELOPE, Some("a_key")), format!("a_key: {value}"));
    }

    #[rstest]
    #[case(ENVELOPE)]
    #[case("$ANSIBLE_VAULT;1.1;AES256\r\n  6162\r\n 63")]
    #[case("\n  $ANSIBLE_VAULT;1.1;AES256 \n\t6162\n    63\n\n")]
    #[case("key: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n  63\n")]
    #[case("  - key: !vault |-  # why\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n  63\n")]
    #[case("!vault |\n\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n  63\n")]
    fn read_from_what_was_copied(#[case] text: &str) {
        assert_eq!(from_inline(text).unwrap(), ENVELOPE);
    }

    #[rstest]
    #[case("")]
    #[case("key: value\n")]
    #[case("key: !vault |\n  text\n")]
    #[case("key: $ANSIBLE_VAULT;1.1\n")]
    fn nothing_encrypted(#[case] text: &str) {
        assert_eq!(from_inline(text), None);
        assert_eq!(find_inline(text), []);
    }

    const FILE: &str = "\
plain: 1
one: !vault |
  $ANSIBLE_VAULT;1.1;AES256
  6162
  63

# two: !vault |
#   $ANSIBLE_VAULT;1.1;AES256
list:
  - \"quoted key\": !vault |-
        $ANSIBLE_VAULT;1.2;AES256;prod
        6162
  - !vault-encrypted |
    $ANSIBLE_VAULT;1.1;AES256
    6162
text: 'say !vault | here'
empty: !vault |
last: !vault |\r
    $ANSIBLE_VAULT;1.1;AES256\r
    6162";

    #[test]
    fn all_values_of_a_file_are_found() {
        let found = find_inline(FILE);
        let seen: Vec<_> = found.iter().map(|value| (value.name.as_deref(), value.line, value.column)).collect();
        assert_eq!(seen, [(Some("one"), 2, 6), (Some("quoted key"), 10, 19), (None, 13, 5), (Some("last"), 18, 7)]);
        assert_eq!(found[0].envelope, ENVELOPE);
        assert_eq!(found[1].envelope, "$ANSIBLE_VAULT;1.2;AES256;prod\n6162\n");
        assert_eq!(&FILE[found[1].lines.clone()], "        $ANSIBLE_VAULT;1.2;AES256;prod\n        6162");
        assert!(FILE.ends_with(&FILE[found[3].lines.clone()]));
    }

    #[test]
    fn a_value_is_replaced_where_it_stands() {
        let value = find_inline(FILE).remove(0);
        let mut text = FILE.to_owned();
        text.replace_range(value.lines.clone(), &value.replacement("$ANSIBLE_VAULT;1.1;AES256\n99\n"));
        assert!(text.starts_with("plain: 1\none: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  99\n\n# two"), "{text}");
    }

    #[test]
    fn what_was_written_is_found() {
        let found = find_inline(&to_inline(ENVELOPE, Some("a_key")));
        assert_eq!((found[0].name.as_deref(), found[0].envelope.as_str()), (Some("a_key"), ENVELOPE));
    }
}

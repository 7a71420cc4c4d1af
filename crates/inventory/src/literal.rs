//! Values of INI inventories: a text that is a Python literal becomes what it says, any other stays text, as
//! `ast.literal_eval` decides in Ansible's `ini` plugin (2.19, `_parse_value`). Tuples and sets become lists.

use diagnostic::Position;
use yaml::{Mapping, Node, Value};

/// Python's own parser gives up at about this depth; deeper text stays text.
const DEEPEST: usize = 64;

/// The value of `text`; every node of it stands at `position`.
pub(crate) fn value(text: &str, position: &Position) -> Node {
    let mut reader = Reader { rest: text.trim_start_matches([' ', '\t']), position, depth: 0 };
    match reader.whole() {
        Some(value) => value,
        None => Node::string(text, position.clone()),
    }
}

struct Reader<'a> {
    rest: &'a str,
    position: &'a Position,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// One literal, or several with commas (a tuple), then nothing but a comment.
    fn whole(&mut self) -> Option<Node> {
        let first = self.literal()?;
        let value = if self.take(",") {
            let mut items = vec![first];
            self.items(&mut items, None)?;
            self.node(Value::Sequence(items))
        } else {
            first
        };
        self.skip();
        self.rest.is_empty().then_some(value)
    }

    fn literal(&mut self) -> Option<Node> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        self.skip();
        let value = match self.rest.chars().next()? {
            '[' => self.list().map(|value| self.node(value)),
            '(' => self.tuple(),
            '{' => self.dict_or_set().map(|value| self.node(value)),
            '+' | '-' => self.signed().map(|value| self.node(value)),
            '0'..='9' => self.number()?.value().map(|value| self.node(value)),
            '.' => self.number_or_ellipsis().map(|value| self.node(value)),
            _ => self.strings().or_else(|| self.name().map(|value| self.node(value))),
        };
        self.depth -= 1;
        value
    }

    fn list(&mut self) -> Option<Value> {
        self.take("[");
        let mut items = Vec::new();
        self.items(&mut items, Some("]"))?;
        Some(Value::Sequence(items))
    }

    fn tuple(&mut self) -> Option<Node> {
        self.take("(");
        if self.take(")") {
            return Some(self.node(Value::Sequence(Vec::new())));
        }
        let first = self.literal()?;
        // Parentheses around one value only group it.
        if self.take(")") {
            return Some(first);
        }
        let mut items = vec![first];
        self.take(",").then_some(())?;
        self.items(&mut items, Some(")"))?;
        Some(self.node(Value::Sequence(items)))
    }

    fn dict_or_set(&mut self) -> Option<Value> {
        self.take("{");
        let mut mapping = Mapping::default();
        let mut items = Vec::new();
        while !self.take("}") {
            let first = self.literal()?;
            if items.is_empty() && self.take(":") {
                // A list can't be a key; Python refuses it, too.
                if matches!(first.value, Value::Sequence(_) | Value::Mapping(_)) {
                    return None;
                }
                let value = self.literal()?;
                mapping.insert(first, value);
            } else if mapping.is_empty() && !matches!(first.value, Value::Sequence(_) | Value::Mapping(_)) {
                // Ansible fails on `{{ 'x' }}`, a set in a set, where a template is meant: here it stays text.
                items.push(first);
            } else {
                return None;
            }
            if !self.take(",") {
                self.take("}").then_some(())?;
                break;
            }
        }
        Some(if items.is_empty() { Value::Mapping(mapping) } else { Value::Sequence(items) })
    }

    /// Items up to `end`, or to the end of the text; a comma may trail.
    fn items(&mut self, items: &mut Vec<Node>, end: Option<&str>) -> Option<()> {
        loop {
            match end {
                Some(end) if self.take(end) => return Some(()),
                None if self.at_end() => return Some(()),
                _ => {}
            }
            let item = self.literal()?;
            items.push(item);
            if !self.take(",") {
                return match end {
                    Some(end) => self.take(end).then_some(()),
                    None => self.at_end().then_some(()),
                };
            }
        }
    }

    fn signed(&mut self) -> Option<Value> {
        let negative = self.rest.starts_with('-');
        self.rest = &self.rest[1..];
        self.skip();
        if !self.rest.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
            return None;
        }
        match self.number()? {
            Number::Int(number) => Number::Int(if negative { -number } else { number }).value(),
            Number::Float(number) => Number::Float(if negative { -number } else { number }).value(),
        }
    }

    fn number_or_ellipsis(&mut self) -> Option<Value> {
        if let Some(rest) = self.rest.strip_prefix("...") {
            self.rest = rest;
            return Some(Value::String("...".to_owned()));
        }
        self.number()?.value()
    }

    /// Integers beyond 64 bits and complex numbers are left as text.
    fn number(&mut self) -> Option<Number> {
        let mut previous = ' ';
        let length = self.rest.find(|next: char| {
            let exponent_sign =
                matches!(next, '+' | '-') && matches!(previous, 'e' | 'E') && !self.rest.starts_with("0x");
            previous = next;
            !(next.is_alphanumeric() || next == '_' || next == '.' || exponent_sign)
        });
        let (token, rest) = self.rest.split_at(length.unwrap_or(self.rest.len()));
        self.rest = rest;
        number(token)
    }

    fn name(&mut self) -> Option<Value> {
        let length = self.rest.find(|next: char| !(next.is_alphanumeric() || next == '_')).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(length);
        self.rest = rest;
        match name {
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            "None" => Some(Value::Null),
            // The only call that `literal_eval` knows: an empty set has no sign of its own.
            "set" if self.take("(") && self.take(")") => Some(Value::Sequence(Vec::new())),
            _ => None,
        }
    }

    /// One string or several side by side. Ansible does not take what was `b'…'` for a template.
    fn strings(&mut self) -> Option<Node> {
        let (mut text, bytes) = self.string()?;
        loop {
            self.skip();
            match self.string() {
                Some((more, more_bytes)) if more_bytes == bytes => text += &more,
                Some(_) => return None,
                None => break,
            }
        }
        Some(Node { is_unsafe: bytes, ..self.node(Value::String(text)) })
    }

    /// A string, and whether it is one of bytes.
    fn string(&mut self) -> Option<(String, bool)> {
        let prefix_length = self.rest.find(['"', '\'']).filter(|length| *length <= 2)?;
        let (prefix, body) = self.rest.split_at(prefix_length);
        let (raw, bytes) = match prefix.to_ascii_lowercase().as_str() {
            "" | "u" => (false, false),
            "b" => (false, true),
            "r" => (true, false),
            "br" | "rb" => (true, true),
            _ => return None,
        };
        let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| body.starts_with(quote))?;
        let (text, rest) = string_body(&body[quote.len()..], quote, raw, bytes)?;
        self.rest = rest;
        Some((text, bytes))
    }

    fn node(&self, value: Value) -> Node {
        Node::new(value, self.position.clone())
    }

    fn take(&mut self, sign: &str) -> bool {
        self.skip();
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn at_end(&mut self) -> bool {
        self.skip();
        self.rest.is_empty()
    }

    /// Blanks, and a comment, which in one line is always the last thing.
    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\u{c}']);
        if self.rest.starts_with('#') {
            self.rest = "";
        }
    }
}

enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    /// An integer beyond 64 bits has none.
    fn value(self) -> Option<Value> {
        match self {
            Self::Int(number) => i64::try_from(number).ok().map(Value::Int),
            Self::Float(number) => Some(Value::Float(number)),
        }
    }
}

fn number(token: &str) -> Option<Number> {
    let misplaced = token.starts_with('_') || token.ends_with('_') || token.contains("__");
    if misplaced || token.contains("._") || token.contains("_.") {
        return None;
    }
    let plain = token.replace('_', "").to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = plain.strip_prefix(prefix) {
            let valid = digits.chars().all(|digit| digit.is_digit(radix));
            return valid.then(|| i128::from_str_radix(digits, radix).ok().map(Number::Int)).flatten();
        }
    }
    if plain.chars().all(|digit| digit.is_ascii_digit()) {
        // Python has no `0644`; zero may be written as `00`.
        let zeros = plain.starts_with('0') && plain.chars().any(|digit| digit != '0');
        return (!zeros).then(|| plain.parse().ok().map(Number::Int)).flatten();
    }
    let shaped = plain.chars().all(|character| character.is_ascii_digit() || "e+-.".contains(character));
    (shaped && plain.contains(|digit: char| digit.is_ascii_digit()))
        .then(|| plain.parse().ok().map(Number::Float))
        .flatten()
}

/// The text up to `quote` and what follows it.
fn string_body<'a>(body: &'a str, quote: &str, raw: bool, bytes: bool) -> Option<(String, &'a str)> {
    let mut text = String::new();
    let mut rest = body;
    loop {
        if let Some(after) = rest.strip_prefix(quote) {
            return Some((text, after));
        }
        let character = rest.chars().next()?;
        rest = &rest[character.len_utf8()..];
        if bytes && !character.is_ascii() {
            return None;
        }
        if character != '\\' {
            text.push(character);
        } else if raw {
            let next = rest.chars().next()?;
            text.extend(['\\', next]);
            rest = &rest[next.len_utf8()..];
        } else {
            rest = escape(rest, bytes, &mut text)?;
        }
    }
}

/// Python's escapes; an unknown one keeps its backslash. `\N{…}` is left to Python.
fn escape<'a>(rest: &'a str, bytes: bool, text: &mut String) -> Option<&'a str> {
    let character = rest.chars().next()?;
    let after = &rest[character.len_utf8()..];
    let plain = match character {
        '\\' | '\'' | '"' => Some(character),
        'a' => Some('\u{7}'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\u{b}'),
        _ => None,
    };
    if let Some(plain) = plain {
        text.push(plain);
        return Some(after);
    }
    let (digits, radix) = match character {
        '0'..='7' => {
            let length = rest.chars().take(3).take_while(|digit| digit.is_digit(8)).count();
            (&rest[..length], 8)
        }
        'x' => (after.get(..2)?, 16),
        'u' if !bytes => (after.get(..4)?, 16),
        'U' if !bytes => (after.get(..8)?, 16),
        'N' if !bytes => return None,
        _ => {
            text.extend(['\\', character]);
            return Some(after);
        }
    };
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    text.push(char::from_u32(u32::from_str_radix(digits, radix).ok()?)?);
    let taken = digits.len() + usize::from(radix == 16);
    Some(&rest[taken..])
}

#[cfg(test)]
mod tests {
    use super::value;
    use diagnostic::Position;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    fn read(text: &str) -> serde_json::Value {
        value(text, &Position::new("hosts", 1, 1)).to_data()
    }

    /// The conformance tests compare these and more with ansible-core itself.
    #[rstest]
    #[case("8", json!(8))]
    #[case("-1", json!(-1))]
    #[case("0644", json!("0644"))]
    #[case("0x1f", json!(31))]
    #[case("1_000", json!(1000))]
    #[case("1.5", json!(1.5))]
    #[case("1e3", json!(1000.0))]
    #[case("32Gi", json!("32Gi"))]
    #[case("True", json!(true))]
    #[case("true", json!("true"))]
    #[case("yes", json!("yes"))]
    #[case("None", json!(null))]
    #[case("", json!(""))]
    #[case("'quoted'", json!("quoted"))]
    #[case("'a' \"b\"", json!("ab"))]
    #[case(r"'a\tb\x41\u00e9'", json!("a\tbAé"))]
    #[case(r"r'\d'", json!("\\d"))]
    #[case("b'x'", json!("x"))]
    #[case("'''it's'''", json!("it's"))]
    #[case("'unclosed", json!("'unclosed"))]
    #[case("[1, 'a', [True]]", json!([1, "a", [true]]))]
    #[case("[1, a]", json!("[1, a]"))]
    #[case("(1)", json!(1))]
    #[case("(1,)", json!([1]))]
    #[case("1, 2", json!([1, 2]))]
    #[case("{'a': 1, 'b': {}}", json!({"a": 1, "b": {}}))]
    #[case("{1}", json!([1]))]
    #[case("{{ x }}", json!("{{ x }}"))]
    #[case("{{ 'x' }}", json!("{{ 'x' }}"))]
    #[case("1 # one", json!(1))]
    #[case("one # two", json!("one # two"))]
    #[case("--1", json!("--1"))]
    #[case("1 2", json!("1 2"))]
    #[case("192.168.0.1", json!("192.168.0.1"))]
    #[case("1.2.3", json!("1.2.3"))]
    #[case("...", json!("..."))]
    #[case("99999999999999999999", json!("99999999999999999999"))]
    fn literals_are_pythons(#[case] text: &str, #[case] expected: serde_json::Value) {
        assert_eq!(read(text), expected);
    }

    proptest! {
        #[test]
        fn any_text_has_a_value(text in "[\\[\\](){}'\"\\\\,:0-9a-zA-Z.# +_-]{0,30}|\\PC{0,20}") {
            read(&text);
        }
    }

    #[test]
    fn deep_nesting_stays_text() {
        let deep = "[".repeat(10_000);
        assert_eq!(read(&deep), json!(deep));
    }
}

//! What can be seen of a payload that cannot be read: which number a reading has, and where the readings of an array end.
//! Only quotation marks and brackets count, so `NaN`, a lost bracket or bytes that are no text are no hindrance. A number
//! that was refused is settled by this; without it the row of its device's numbers would stand still for ever.

use super::raw::{SEQ_LARGEST, is_boot};
use super::reason::Number;

/// The number of a JSON reading. `None` where anything about it is in doubt: to settle another one's number would lose it.
pub(super) fn number(payload: &[u8]) -> Option<Number> {
    let mut seen = Seen::default();
    let mut scan = Scan { bytes: payload.trim_ascii(), at: 0 };
    if scan.next() != Some(b'{') {
        return None;
    }
    let mut depth = 1;
    while let Some(byte) = scan.next() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            b'"' => {
                let Some(key) = scan.text() else { break };
                if depth == 1 && scan.colon() {
                    match key {
                        b"seq" => note(&mut seen.seq, scan.sequence()?)?,
                        b"boot" => note(&mut seen.boot, scan.boot()?)?,
                        b"device_id" => note(&mut seen.device, scan.device()?)?,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Some(Number { device: seen.device, boot: seen.boot?, seq: seen.seq? })
}

/// The readings of an array, or what is left of it: the last one may be broken off. An empty one stands for an end that is
/// not there. `None`: more than `most`.
pub(super) fn elements(payload: &[u8], most: usize) -> Option<Vec<&[u8]>> {
    let payload = payload.trim_ascii();
    let mut scan = Scan { bytes: payload, at: 1 };
    let (mut elements, mut from, mut depth) = (Vec::new(), 1, 1);
    while let Some(byte) = scan.next() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 1 => depth -= 1,
            b'"' => {
                let _ = scan.text();
            }
            b',' | b']' | b'}' if depth == 1 => {
                elements.push(payload[from..scan.at - 1].trim_ascii());
                from = scan.at;
                if byte != b',' {
                    depth = 0;
                    break;
                }
                if elements.len() > most {
                    return None;
                }
            }
            _ => {}
        }
    }
    let rest = payload[from.min(payload.len())..].trim_ascii();
    if depth > 0 || !rest.is_empty() {
        elements.push(rest);
        if depth == 1 && !rest.is_empty() {
            elements.push(&[]);
        }
    }
    // One more for the end that is not there.
    (elements.len() <= most + 1).then_some(elements)
}

/// The number of a line of line protocol: its tags stand before the first blank.
pub(super) fn number_of_line(line: &str) -> Option<Number> {
    let mut seen = Seen::default();
    let head = line.split(' ').next()?;
    // The last tag of a line that ends here may be cut short.
    if head.len() == line.len() || head.contains('\\') {
        return None;
    }
    for tag in head.split(',').skip(1) {
        match tag.split_once('=') {
            Some(("seq", value)) => note(&mut seen.seq, value.parse().ok().filter(is_sequence)?)?,
            Some(("boot", value)) => note(&mut seen.boot, Some(value).filter(|boot| is_boot(boot))?.into())?,
            Some(("device_id", value)) => note(&mut seen.device, value.into())?,
            _ => {}
        }
    }
    Some(Number { device: seen.device, boot: seen.boot?, seq: seen.seq? })
}

#[derive(Default)]
struct Seen {
    seq: Option<u64>,
    boot: Option<Box<str>>,
    device: Option<Box<str>>,
}

/// `None`: it was seen before, and was another.
fn note<T: PartialEq>(known: &mut Option<T>, value: T) -> Option<()> {
    match known {
        Some(known) if *known != value => None,
        _ => {
            *known = Some(value);
            Some(())
        }
    }
}

fn is_sequence(seq: &u64) -> bool {
    (1..=SEQ_LARGEST).contains(seq)
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn next(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    fn blanks(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn colon(&mut self) -> bool {
        self.blanks();
        let is_key = self.bytes.get(self.at) == Some(&b':');
        if is_key {
            self.at += 1;
            self.blanks();
        }
        is_key
    }

    /// Behind the opening quotation mark, up to the closing one; `None`: there is none.
    fn text(&mut self) -> Option<&'a [u8]> {
        let from = self.at;
        loop {
            match self.next()? {
                b'"' => return Some(&self.bytes[from..self.at - 1]),
                b'\\' => {
                    self.next()?;
                }
                _ => {}
            }
        }
    }

    /// Text without escapes.
    fn plain(&mut self) -> Option<&'a str> {
        let text = std::str::from_utf8(self.text()?).ok()?;
        (!text.contains('\\')).then_some(text)
    }

    /// Digits, and something behind them: a number at the very end may be cut short.
    fn digits(&mut self) -> Option<&'a str> {
        let from = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        let ended = matches!(self.bytes.get(self.at), Some(b',' | b'}' | b' ' | b'\t' | b'\r' | b'\n'));
        std::str::from_utf8(&self.bytes[from..self.at]).ok().filter(|digits| ended && !digits.is_empty())
    }

    fn sequence(&mut self) -> Option<u64> {
        self.digits()?.parse().ok().filter(is_sequence)
    }

    fn boot(&mut self) -> Option<Box<str>> {
        if self.bytes.get(self.at) == Some(&b'"') {
            self.at += 1;
            return self.plain().filter(|boot| is_boot(boot)).map(Into::into);
        }
        Some(self.digits()?.parse::<i64>().ok()?.to_string().into())
    }

    fn device(&mut self) -> Option<Box<str>> {
        (self.next() == Some(b'"')).then(|| self.plain()).flatten().map(Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case(r#"{"seq":5,"boot":"b"}"#)]
    #[case(r#" { "boot" : "b" , "sensors":{"seq":9}, "seq" : 5 } "#)]
    #[case(r#"{"seq":5,"boot":"b","sensors":{"pir":{"motion_detected":NaN}}}"#)]
    #[case(r#"{"seq":5,"boot":"b","sensors":{"pir":{"motion_de"#)]
    #[case(r#"{"timestamp":1700000000,"timestamp":-Infinity,"seq":5,"seq":5,"boot":"b"}"#)]
    #[case(r#"{"x":"{[\"","list":[[[{"seq":1}]]],"seq":5,"boot":"b"}}"#)]
    #[case(r#"{"seq" 7,"seq":5,"boot":"b"}"#)]
    fn is_seen(#[case] payload: &str) {
        let number = number(payload.as_bytes()).expect(payload);
        assert_eq!((number.seq, &*number.boot, number.device), (5, "b", None));
    }

    #[rstest]
    #[case("")]
    #[case("5")]
    #[case(r#"{"seq":5}"#)]
    #[case(r#"{"boot":"b"}"#)]
    #[case(r#"{"boot":"b","seq":5"#)]
    #[case(r#"{"seq":5,"boot":"b"#)]
    #[case(r#"{"seq":5.5,"boot":"b"}"#)]
    #[case(r#"{"seq":-5,"boot":"b"}"#)]
    #[case(r#"{"seq":0,"boot":"b"}"#)]
    #[case(r#"{"seq":5,"seq":6,"boot":"b"}"#)]
    #[case(r#"{"seq":5,"boot":"b","boot":"c"}"#)]
    #[case(r#"{"seq":5,"boot":"a b"}"#)]
    #[case(r#"{"seq":5,"boot":"b","device_id":7}"#)]
    #[case(r#"{"sensors":{"seq":5,"boot":"b"}}"#)]
    #[case(r#"[{"seq":5,"boot":"b"}]"#)]
    fn is_in_doubt(#[case] payload: &str) {
        assert_eq!(number(payload.as_bytes()), None, "{payload}");
    }

    #[test]
    fn bytes_that_are_no_text_and_a_boot_that_is_a_number() {
        let number = number(b"{\"note\":\"\xff\",\"seq\":5,\"boot\":17,\"device_id\":\"esp-1\"}").unwrap();
        assert_eq!((number.seq, &*number.boot, number.device.as_deref()), (5, "17", Some("esp-1")));
    }

    #[rstest]
    #[case("[1,2]", &["1", "2"])]
    #[case(r#" [ {"a":[1,2]} , {"b":"],"} ] "#, &[r#"{"a":[1,2]}"#, r#"{"b":"],"}"#])]
    #[case(r#"[{"a":NaN},{"b":1}]"#, &[r#"{"a":NaN}"#, r#"{"b":1}"#])]
    #[case(r#"[{"a":1},{"b"#, &[r#"{"a":1}"#, r#"{"b"#])]
    #[case(r#"[{"a":1},{"b":1}"#, &[r#"{"a":1}"#, r#"{"b":1}"#, ""])]
    #[case("[{},", &["{}", ""])]
    #[case("[{}]x", &["{}", "x"])]
    #[case("[", &[""])]
    fn array(#[case] payload: &str, #[case] expected: &[&str]) {
        let elements = elements(payload.as_bytes(), 10).unwrap();
        assert_eq!(elements.iter().map(|one| std::str::from_utf8(one).unwrap()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_array_that_is_too_long() {
        assert_eq!(elements(b"[{},{},{}", 2), None);
        assert_eq!(elements(b"[{},{},{},{},{}]x", 2), None);
        assert!(elements(b"[{},{},{}", 3).is_some());
    }

    #[rstest]
    #[case("pir,seq=5,boot=b motion=NaN", true)]
    #[case("pir,host=x,boot=b,seq=5 motion=t", true)]
    #[case("pir,seq=5,boot=b", false)]
    #[case("pir,seq=5 motion=t", false)]
    #[case("pir,seq=5,seq=6,boot=b motion=t", false)]
    fn of_a_line(#[case] line: &str, #[case] is_seen: bool) {
        assert_eq!(number_of_line(line).is_some_and(|number| number.seq == 5 && &*number.boot == "b"), is_seen);
    }

    proptest! {
        #[test]
        fn never_panics(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (number(&payload), elements(&payload, 3));
        }

        #[test]
        fn near_json_never_panics(payload in r#"[\[\]{}":,\\seqbot0-9. é]{0,80}"#) {
            let _ = (number(payload.as_bytes()), elements(payload.as_bytes(), 3), number_of_line(&payload));
        }
    }
}

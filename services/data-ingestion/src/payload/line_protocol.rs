//! InfluxDB line protocol as devices send it (InfluxDB 1.6, "Line Protocol Reference"): one reading a line.
//! The tags `device_id`, `boot`, `seq` and `kept_from` are ours and are consumed; other tags are refused, as they would make series.

use super::raw::{SEQ_LARGEST, is_boot};
use super::{Bounds, Raw, Reason, Refusal, Scalar, SensorValues, glimpse, pointer, scale};
use std::borrow::Cow;

/// Every line of a payload, each judged by itself. Empty lines and comments are passed over.
///
/// # Errors
/// The payload is too large or not UTF-8.
pub fn lines<'a>(payload: &'a [u8], bounds: &Bounds) -> Result<Vec<Result<Raw<'a>, Refusal>>, Refusal> {
    if payload.len() > bounds.payload_bytes {
        return Err(Refusal::new(
            Reason::TooLarge,
            format!("the payload is longer than {} bytes", bounds.payload_bytes),
        ));
    }
    let text = std::str::from_utf8(payload).map_err(|_| Refusal::new(Reason::NotUtf8, "the payload is not UTF-8"))?;
    let mut readings = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_matches([' ', '\t']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if readings.len() == bounds.readings {
            return Err(Refusal::new(Reason::TooLarge, format!("more than {} lines at once", bounds.readings)));
        }
        readings.push(match one(line, bounds) {
            Ok(raw) => Ok(Raw { line: Some(number), ..raw }),
            Err(refusal) => Err(Refusal { line: Some(number), ..refusal }.of(glimpse::number_of_line(line))),
        });
    }
    if readings.is_empty() {
        return Err(Refusal::new(Reason::Malformed, "the payload has no line"));
    }
    Ok(readings)
}

fn malformed(text: &str) -> Refusal {
    Refusal::new(Reason::Malformed, format!("not line protocol: {text}"))
}

fn one<'a>(line: &'a str, bounds: &Bounds) -> Result<Raw<'a>, Refusal> {
    let mut scan = Scan { rest: line };
    let (measurement, end) = scan.key(&[',', ' ']).ok_or_else(|| malformed("the measurement is not ended"))?;
    if measurement.is_empty() {
        return Err(malformed("no measurement"));
    }
    let mut raw = Raw::default();
    let mut more_tags = end == ',';
    while more_tags {
        let (key, value, end) = tag(&mut scan)?;
        apply_tag(&mut raw, &key, value).map_err(|refusal| refusal.at(pointer(&[&key])))?;
        more_tags = end == ',';
    }
    let fields = fields(&mut scan, &measurement, bounds)?;
    let time = scan.rest.trim_matches(' ');
    if !time.is_empty() {
        let text = "the timestamp is no whole number of s, ms, µs or ns since 1970";
        let bad = || Refusal::new(Reason::BadTimestamp, text).at("/timestamp");
        raw.time = Some(time.parse().ok().and_then(scale).ok_or_else(bad)?);
    }
    if measurement.len() > bounds.text_bytes {
        return Err(Refusal::new(Reason::TooLarge, "the measurement's name is too long").at("/sensors"));
    }
    raw.sensors.push(SensorValues { name: measurement, fields });
    Ok(raw)
}

fn tag<'a>(scan: &mut Scan<'a>) -> Result<(Cow<'a, str>, Cow<'a, str>, char), Refusal> {
    let (key, _) = scan.key(&['=']).ok_or_else(|| malformed("a tag has no value"))?;
    let (value, end) = scan.key(&[',', ' ']).ok_or_else(|| malformed("no fields"))?;
    if value.is_empty() || key.is_empty() {
        return Err(malformed("a tag is empty"));
    }
    Ok((key, value, end))
}

fn apply_tag<'a>(raw: &mut Raw<'a>, key: &str, value: Cow<'a, str>) -> Result<(), Refusal> {
    let twice = || Refusal::new(Reason::DuplicateKey, format!("the tag `{key}` stands twice"));
    match key {
        "device_id" => raw.device.replace(value).map_or(Ok(()), |_| Err(twice())),
        "boot" if is_boot(&value) => raw.boot.replace(value).map_or(Ok(()), |_| Err(twice())),
        "boot" => Err(Refusal::new(Reason::BadSequence, "`boot` has 1 to 32 letters, digits, `_`, `-` and `.`")),
        "seq" => raw.seq.replace(number(key, &value)?).map_or(Ok(()), |_| Err(twice())),
        "kept_from" => raw.kept_from.replace(number(key, &value)?).map_or(Ok(()), |_| Err(twice())),
        _ => Err(Refusal::new(
            Reason::UnknownKey,
            "only the tags `device_id`, `boot`, `seq` and `kept_from` may be sent",
        )),
    }
}

fn number(key: &str, value: &str) -> Result<u64, Refusal> {
    let number = value.parse().ok().filter(|number| (1..=SEQ_LARGEST).contains(number));
    number.ok_or_else(|| Refusal::new(Reason::BadSequence, format!("`{key}` is a whole number from 1 to 2^53 - 1")))
}

fn fields<'a>(
    scan: &mut Scan<'a>,
    measurement: &str,
    bounds: &Bounds,
) -> Result<Vec<(Cow<'a, str>, Scalar<'a>)>, Refusal> {
    let at = |field: &str| pointer(&["sensors", measurement, field]);
    let mut fields: Vec<(Cow<'a, str>, Scalar<'a>)> = Vec::with_capacity(4);
    loop {
        let (key, _) = scan.key(&['=']).ok_or_else(|| malformed("a field has no value"))?;
        if key.is_empty() {
            return Err(malformed("a field has no name"));
        }
        if fields.len() == bounds.fields || key.len() > bounds.text_bytes {
            let text = format!("more than {} fields, or a name that is too long", bounds.fields);
            return Err(Refusal::new(Reason::TooLarge, text).at(pointer(&["sensors", measurement])));
        }
        if fields.iter().any(|(known, _)| *known == key) {
            return Err(Refusal::new(Reason::DuplicateKey, "a field stands twice").at(at(&key)));
        }
        let value = if scan.rest.starts_with('"') { scan.quoted(bounds) } else { scan.plain() };
        let (value, end) = value.map_err(|refusal| refusal.at(at(&key)))?;
        fields.push((key, value));
        if end != Some(',') {
            return Ok(fields);
        }
    }
}

struct Scan<'a> {
    rest: &'a str,
}

impl<'a> Scan<'a> {
    /// Up to the first of `ends` that no backslash precedes, and which one it was. A blank or comma that is not asked for ends
    /// nothing here, but neither may stand unescaped in a key.
    fn key(&mut self, ends: &[char]) -> Option<(Cow<'a, str>, char)> {
        let mut owned: Option<String> = None;
        let mut chars = self.rest.char_indices().peekable();
        while let Some((at, char)) = chars.next() {
            if char == '\\'
                && let Some((_, next @ (',' | ' ' | '='))) = chars.peek().copied()
            {
                owned.get_or_insert_with(|| self.rest[..at].to_owned()).push(next);
                chars.next();
                continue;
            }
            if ends.contains(&char) {
                let text = owned.map_or(Cow::Borrowed(&self.rest[..at]), Cow::Owned);
                self.rest = &self.rest[at + char.len_utf8()..];
                return Some((text, char));
            }
            if matches!(char, ',' | ' ') {
                return None;
            }
            if let Some(owned) = &mut owned {
                owned.push(char);
            }
        }
        None
    }

    fn quoted(&mut self, bounds: &Bounds) -> Result<(Scalar<'a>, Option<char>), Refusal> {
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1).peekable();
        while let Some((at, char)) = chars.next() {
            match (char, chars.peek()) {
                ('\\', Some((_, next @ ('"' | '\\')))) => {
                    text.push(*next);
                    chars.next();
                }
                ('"', after) => {
                    let end = after.map(|(_, char)| *char);
                    if !matches!(end, None | Some(',' | ' ')) {
                        return Err(malformed("something follows a text"));
                    }
                    self.rest = &self.rest[at + 1 + end.map_or(0, char::len_utf8)..];
                    return Ok((Scalar::Text(Cow::Owned(text)), end));
                }
                _ if text.len() >= bounds.text_bytes => {
                    return Err(Refusal::new(
                        Reason::TooLarge,
                        format!("text of more than {} bytes", bounds.text_bytes),
                    ));
                }
                _ => text.push(char),
            }
        }
        Err(malformed("a text is not ended"))
    }

    fn plain(&mut self) -> Result<(Scalar<'a>, Option<char>), Refusal> {
        let at = self.rest.find([',', ' ']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(at);
        let end = rest.chars().next();
        self.rest = rest.get(1..).unwrap_or_default();
        Ok((scalar(word)?, end))
    }
}

fn scalar(word: &str) -> Result<Scalar<'static>, Refusal> {
    match word {
        "t" | "T" | "true" | "True" | "TRUE" => return Ok(Scalar::Bool(true)),
        "f" | "F" | "false" | "False" | "FALSE" => return Ok(Scalar::Bool(false)),
        _ => {}
    }
    let not_finite = || Refusal::new(Reason::NotFinite, "a number is NaN, infinite or too large");
    if let Some(digits) = word.strip_suffix('i') {
        return match digits.parse() {
            Ok(number) => Ok(Scalar::Integer(number)),
            Err(error)
                if matches!(
                    error.kind(),
                    std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow
                ) =>
            {
                Err(not_finite())
            }
            Err(_) => Err(malformed("a value is neither number, boolean nor text in quotes")),
        };
    }
    match word.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Scalar::Number(number)),
        Ok(_) => Err(not_finite()),
        Err(_) => Err(malformed("a value is neither number, boolean nor text in quotes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[test]
    fn a_line() {
        let line =
            br#"ld2410,device_id=esp-1,seq=7,boot=a distance=12.5,energy=3i,presence=t,note="a \"b\", c" 1700000000"#;
        let raw = lines(line, &Bounds::default()).unwrap().remove(0).unwrap();
        assert_eq!((raw.seq, raw.boot.as_deref(), raw.time), (Some(7), Some("a"), Some(1_700_000_000_000_000_000)));
        let expected = [
            ("distance".into(), Scalar::Number(12.5)),
            ("energy".into(), Scalar::Integer(3)),
            ("presence".into(), Scalar::Bool(true)),
            ("note".into(), Scalar::Text("a \"b\", c".into())),
        ];
        assert_eq!(raw.sensors[0].fields, expected);
    }

    #[rstest]
    #[case("", Reason::Malformed)]
    #[case("m", Reason::Malformed)]
    #[case("m ", Reason::Malformed)]
    #[case("m,a", Reason::Malformed)]
    #[case("m a=", Reason::Malformed)]
    #[case("m a=x", Reason::Malformed)]
    #[case("m a=\"x", Reason::Malformed)]
    #[case("m a=NaN", Reason::NotFinite)]
    #[case("m a=inf", Reason::NotFinite)]
    #[case("m a=1e999", Reason::NotFinite)]
    #[case("m a=99999999999999999999i", Reason::NotFinite)]
    #[case("m a=1,a=2", Reason::DuplicateKey)]
    #[case("m,seq=1,seq=2 a=1", Reason::DuplicateKey)]
    #[case("m,host=x a=1", Reason::UnknownKey)]
    #[case("m,seq=0 a=1", Reason::BadSequence)]
    #[case("m a=1 soon", Reason::BadTimestamp)]
    #[case("m a=1 1 2", Reason::BadTimestamp)]
    #[case("m a=1 50000000000", Reason::BadTimestamp)]
    fn refused(#[case] line: &str, #[case] reason: Reason) {
        let refusal = match lines(line.as_bytes(), &Bounds::default()) {
            Err(refusal) => refusal,
            Ok(mut lines) => lines.remove(0).expect_err(line),
        };
        assert_eq!(refusal.reason, reason, "{line}");
    }

    #[test]
    fn each_line_knows_where_it_stands() {
        let list = lines(b"\n# a\nm a=1\n\nm a=x\r\nm,seq=0 a=1\nm a=1 soon\nm", &Bounds::default()).unwrap();
        let places: Vec<_> = list
            .into_iter()
            .map(|one| match one {
                Ok(raw) => (raw.line, String::new()),
                Err(refusal) => (refusal.line, refusal.pointer),
            })
            .collect();
        let expected = [(3, ""), (5, "/sensors/m/a"), (6, "/seq"), (7, "/timestamp"), (8, "")];
        assert_eq!(places, expected.map(|(line, pointer)| (Some(line), pointer.to_owned())));
    }

    #[test]
    fn a_refusal_knows_the_number() {
        let mut list =
            lines(b"pir,boot=b,seq=7 motion_detected=NaN\npir,boot=b,seq=8,seq=8 a=1", &Bounds::default()).unwrap();
        let seqs: Vec<_> = list.drain(..).map(|one| one.unwrap_err().number.map(|number| number.seq)).collect();
        assert_eq!(seqs, [Some(7), Some(8)]);
    }

    proptest! {
        #[test]
        fn never_panics(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = lines(&payload, &Bounds::default());
        }

        #[test]
        fn near_lines_never_panic(payload in r#"[a-c=, \\"0-9tfié.\n-]{0,80}"#) {
            let _ = lines(payload.as_bytes(), &Bounds::default());
        }
    }
}

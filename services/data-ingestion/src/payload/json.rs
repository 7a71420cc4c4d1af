//! JSON readings. The parser goes only where a reading has values: anything deeper is refused where it opens, without
//! following it, so depth costs nothing; keys that stand twice, unknown keys and overlong lists are refused at once.

use super::raw::{SEQ_LARGEST, is_boot};
use super::{Bounds, Raw, Reason, Refusal, Scalar, SensorValues, glimpse, parse_rfc3339, pointer, scale, shortened};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

/// One reading, or an array of them: what comes on `…/data`, over HTTP and WebSocket. Each reading is judged by itself,
/// also when another one of the array is refused, or is no JSON: C's `printf` writes `nan`, and buffers cut arrays short.
///
/// # Errors
/// The payload is too large, not UTF-8 or not JSON, and nothing of it is of use.
pub fn array_or_one<'a>(payload: &'a [u8], bounds: &Bounds) -> Result<Vec<Result<Raw<'a>, Refusal>>, Refusal> {
    fits(payload, bounds).map_err(|refusal| refusal.of(glimpse::number(payload)))?;
    if !payload.trim_ascii_start().starts_with(b"[") {
        return match reading(payload, None, bounds) {
            Err(refusal) if refusal.reason == Reason::NotUtf8 => Err(refusal),
            one => Ok(vec![one]),
        };
    }
    let noted = Noted::default();
    match text(payload).and_then(|text| parse(text, ReadingList { bounds, noted: &noted }, &noted)) {
        Ok(list) => Ok(list.into_iter().map(|one| reading(one.get().as_bytes(), None, bounds)).collect()),
        // The readings may be good: it is their number that is not.
        Err(refusal) if refusal.reason == Reason::TooLarge => Err(refusal),
        Err(refusal) => {
            let Some(elements) = glimpse::elements(payload, bounds.readings) else { return Err(refusal) };
            let readings: Vec<_> = elements.into_iter().map(|one| reading(one, None, bounds)).collect();
            let is_of_use =
                readings.iter().any(|one| one.as_ref().map_or_else(|refusal| refusal.number.is_some(), |_| true));
            if is_of_use { Ok(readings) } else { Err(refusal) }
        }
    }
}

/// The values of one sensor: what comes on `…/<sensor>`, with `timestamp`, `seq`, `boot`, `kept_from` and `device_id` beside
/// the values.
///
/// # Errors
/// As of [`array_or_one`], and what is wrong with the values.
pub fn one_sensor<'a>(payload: &'a [u8], sensor: &'a str, bounds: &Bounds) -> Result<Raw<'a>, Refusal> {
    fits(payload, bounds).map_err(|refusal| refusal.of(glimpse::number(payload)))?;
    reading(payload, Some(sensor), bounds)
}

fn reading<'a>(payload: &'a [u8], sensor: Option<&str>, bounds: &Bounds) -> Result<Raw<'a>, Refusal> {
    let noted = Noted::default();
    let raw = text(payload).and_then(|text| parse(text, ReadingSeed { bounds, noted: &noted, sensor }, &noted));
    raw.map_err(|refusal| refusal.of(glimpse::number(payload)))
}

fn fits(payload: &[u8], bounds: &Bounds) -> Result<(), Refusal> {
    if payload.len() <= bounds.payload_bytes {
        return Ok(());
    }
    Err(Refusal::new(Reason::TooLarge, format!("the payload is longer than {} bytes", bounds.payload_bytes)))
}

fn text(payload: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(payload).map_err(|_| Refusal::new(Reason::NotUtf8, "the payload is not UTF-8"))
}

/// serde's errors are text; the kind of the first refusal goes beside it.
#[derive(Default)]
struct Noted(Cell<Option<Refusal>>);

impl Noted {
    fn refuse<E: de::Error>(&self, reason: Reason, pointer: String, text: impl Into<String>) -> E {
        let text = text.into();
        let error = E::custom(&text);
        self.0.set(Some(Refusal::new(reason, text).at(pointer)));
        error
    }
}

fn parse<'a, S: DeserializeSeed<'a>>(text: &'a str, seed: S, noted: &Noted) -> Result<S::Value, Refusal> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let value = seed.deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
    value.map_err(|error| noted.0.take().unwrap_or_else(|| malformed(text, &error)))
}

/// JSON has no `NaN` and no `Infinity`, but C's printf has: tell them apart from plain nonsense.
fn malformed(text: &str, error: &serde_json::Error) -> Refusal {
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let before = error.column().saturating_sub(1).min(line.len());
    let from = (0..=before).rev().find(|at| line.is_char_boundary(*at)).unwrap_or_default();
    // The word that the parser stumbled over: it may have read a letter or two of it.
    let rest = line[from..].trim_start_matches(['-', ' ']);
    let read = if rest.len() == line.len() - from { &line[..from] } else { "" };
    let read = &read[read.trim_end_matches(|char: char| char.is_ascii_alphabetic()).len()..];
    let word: String = read.chars().chain(rest.chars().take(3)).take(3).collect();
    let not_finite = ["nan", "inf"].iter().any(|one| word.eq_ignore_ascii_case(one));
    if not_finite || error.to_string().contains("number out of range") {
        return Refusal::new(Reason::NotFinite, "a number is NaN, infinite or too large");
    }
    Refusal::new(Reason::Malformed, format!("not JSON: {error}"))
}

struct ReadingList<'b> {
    bounds: &'b Bounds,
    noted: &'b Noted,
}

impl<'de> DeserializeSeed<'de> for ReadingList<'_> {
    type Value = Vec<&'de serde_json::value::RawValue>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ReadingList<'_> {
    type Value = Vec<&'de serde_json::value::RawValue>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of readings")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut readings = Vec::new();
        while let Some(one) = list.next_element()? {
            if readings.len() == self.bounds.readings {
                let text = format!("more than {} readings at once", self.bounds.readings);
                return Err(self.noted.refuse(Reason::TooLarge, String::new(), text));
            }
            readings.push(one);
        }
        Ok(readings)
    }
}

struct ReadingSeed<'b> {
    bounds: &'b Bounds,
    noted: &'b Noted,
    /// The sensor whose values stand at the top.
    sensor: Option<&'b str>,
}

impl<'de> DeserializeSeed<'de> for ReadingSeed<'_> {
    type Value = Raw<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadingSeed<'_> {
    type Value = Raw<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reading: an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw<'de>, A::Error> {
        let mut raw = Raw::default();
        let mut fields: Vec<(Cow<'de, str>, Scalar<'de>)> = Vec::new();
        let (mut has_sensors, mut has_device) = (false, false);
        while let Some(Key(key)) = map.next_key()? {
            let twice = match &*key {
                "device_id" => std::mem::replace(&mut has_device, true),
                "timestamp" => raw.time.is_some(),
                "seq" => raw.seq.is_some(),
                "boot" => raw.boot.is_some(),
                "kept_from" => raw.kept_from.is_some(),
                "sensors" if self.sensor.is_none() => std::mem::replace(&mut has_sensors, true),
                _ => false,
            };
            if twice {
                return Err(self.noted.refuse(Reason::DuplicateKey, pointer(&[&key]), format!("`{key}` stands twice")));
            }
            match &*key {
                "device_id" => raw.device = Some(self.text(&mut map, "device_id")?),
                "timestamp" => raw.time = Some(self.time(&mut map)?),
                "seq" => raw.seq = Some(self.seq(&mut map, "seq")?),
                "kept_from" => raw.kept_from = Some(self.seq(&mut map, "kept_from")?),
                "boot" => raw.boot = Some(self.boot(&mut map)?),
                "sensors" if self.sensor.is_none() => {
                    raw.sensors = map.next_value_seed(SensorsSeed { bounds: self.bounds, noted: self.noted })?;
                }
                _ if self.sensor.is_some() => {
                    let seed = ScalarSeed { bounds: self.bounds, noted: self.noted, path: &[&key] };
                    let value = map.next_value_seed(seed)?;
                    push_field(&mut fields, key, value, self.bounds, self.noted, &[])?;
                }
                _ => {
                    let text = format!("unknown key `{}`", shortened(&key));
                    return Err(self.noted.refuse(Reason::UnknownKey, pointer(&[&key]), text));
                }
            }
        }
        if let Some(sensor) = self.sensor {
            raw.sensors.push(SensorValues { name: Cow::Owned(sensor.to_owned()), fields });
        }
        Ok(raw)
    }
}

impl ReadingSeed<'_> {
    fn scalar<'de, A: MapAccess<'de>>(&self, map: &mut A, key: &str) -> Result<Scalar<'de>, A::Error> {
        map.next_value_seed(ScalarSeed { bounds: self.bounds, noted: self.noted, path: &[key] })
    }

    fn text<'de, A: MapAccess<'de>>(&self, map: &mut A, key: &str) -> Result<Cow<'de, str>, A::Error> {
        match self.scalar(map, key)? {
            Scalar::Text(text) => Ok(text),
            other => Err(self.noted.refuse(
                Reason::WrongType,
                pointer(&[key]),
                format!("`{key}` is {}, not text", other.kind()),
            )),
        }
    }

    fn time<'de, A: MapAccess<'de>>(&self, map: &mut A) -> Result<i64, A::Error> {
        let time = match self.scalar(map, "timestamp")? {
            Scalar::Text(text) => parse_rfc3339(&text),
            Scalar::Integer(number) => scale(number),
            _ => None,
        };
        let text = "the timestamp is neither RFC 3339 with a zone nor a whole number of s, ms, µs or ns since 1970";
        time.ok_or_else(|| self.noted.refuse(Reason::BadTimestamp, "/timestamp".to_owned(), text))
    }

    fn seq<'de, A: MapAccess<'de>>(&self, map: &mut A, key: &str) -> Result<u64, A::Error> {
        let seq = match self.scalar(map, key)? {
            Scalar::Integer(number) => u64::try_from(number).ok().filter(|seq| (1..=SEQ_LARGEST).contains(seq)),
            _ => None,
        };
        let text = || format!("`{key}` is a whole number from 1 to 2^53 - 1");
        seq.ok_or_else(|| self.noted.refuse(Reason::BadSequence, pointer(&[key]), text()))
    }

    fn boot<'de, A: MapAccess<'de>>(&self, map: &mut A) -> Result<Cow<'de, str>, A::Error> {
        match self.scalar(map, "boot")? {
            Scalar::Text(text) if is_boot(&text) => Ok(text),
            Scalar::Integer(number) if number >= 0 => Ok(Cow::Owned(number.to_string())),
            _ => {
                let text = "`boot` has 1 to 32 letters, digits, `_`, `-` and `.`";
                Err(self.noted.refuse(Reason::BadSequence, "/boot".to_owned(), text))
            }
        }
    }
}

struct SensorsSeed<'b> {
    bounds: &'b Bounds,
    noted: &'b Noted,
}

impl<'de> DeserializeSeed<'de> for SensorsSeed<'_> {
    type Value = Vec<SensorValues<'de>>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for SensorsSeed<'_> {
    type Value = Vec<SensorValues<'de>>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of sensors")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut sensors: Vec<SensorValues<'de>> = Vec::with_capacity(4);
        while let Some(Key(name)) = map.next_key()? {
            if sensors.iter().any(|sensor| sensor.name == name) {
                let text = format!("sensor `{name}` stands twice");
                return Err(self.noted.refuse(Reason::DuplicateKey, pointer(&["sensors", &name]), text));
            }
            if sensors.len() == self.bounds.sensors || name.len() > self.bounds.text_bytes {
                let text = format!("more than {} sensors, or a name that is too long", self.bounds.sensors);
                return Err(self.noted.refuse(Reason::TooLarge, "/sensors".to_owned(), text));
            }
            let fields = map.next_value_seed(FieldsSeed { bounds: self.bounds, noted: self.noted, sensor: &name })?;
            sensors.push(SensorValues { name, fields });
        }
        Ok(sensors)
    }
}

struct FieldsSeed<'b> {
    bounds: &'b Bounds,
    noted: &'b Noted,
    sensor: &'b str,
}

impl<'de> DeserializeSeed<'de> for FieldsSeed<'_> {
    type Value = Vec<(Cow<'de, str>, Scalar<'de>)>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FieldsSeed<'_> {
    type Value = Vec<(Cow<'de, str>, Scalar<'de>)>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of values")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::with_capacity(4);
        while let Some(Key(key)) = map.next_key()? {
            let path = ["sensors", self.sensor, &*key];
            let value = map.next_value_seed(ScalarSeed { bounds: self.bounds, noted: self.noted, path: &path })?;
            push_field(&mut fields, key, value, self.bounds, self.noted, &["sensors", self.sensor])?;
        }
        Ok(fields)
    }
}

fn push_field<'de, E: de::Error>(
    fields: &mut Vec<(Cow<'de, str>, Scalar<'de>)>,
    key: Cow<'de, str>,
    value: Scalar<'de>,
    bounds: &Bounds,
    noted: &Noted,
    path: &[&str],
) -> Result<(), E> {
    if fields.iter().any(|(known, _)| *known == key) {
        let text = format!("`{}` stands twice", shortened(&key));
        return Err(noted.refuse(Reason::DuplicateKey, format!("{}{}", pointer(path), pointer(&[&key])), text));
    }
    if fields.len() == bounds.fields || key.len() > bounds.text_bytes {
        let text = format!("more than {} values of one sensor, or a name that is too long", bounds.fields);
        return Err(noted.refuse(Reason::TooLarge, pointer(path), text));
    }
    fields.push((key, value));
    Ok(())
}

struct ScalarSeed<'b> {
    bounds: &'b Bounds,
    noted: &'b Noted,
    path: &'b [&'b str],
}

impl<'de> DeserializeSeed<'de> for ScalarSeed<'_> {
    type Value = Scalar<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> ScalarSeed<'_> {
    fn deep<E: de::Error>(&self) -> E {
        self.noted.refuse(Reason::TooDeep, pointer(self.path), "an array or object stands where a value belongs")
    }
    fn short<E: de::Error>(&self, text: Cow<'de, str>) -> Result<Scalar<'de>, E> {
        if text.len() > self.bounds.text_bytes {
            let text = format!("text of more than {} bytes", self.bounds.text_bytes);
            return Err(self.noted.refuse(Reason::TooLarge, pointer(self.path), text));
        }
        Ok(Scalar::Text(text))
    }
}

impl<'de> Visitor<'de> for ScalarSeed<'_> {
    type Value = Scalar<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Integer(value))
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Scalar<'de>, E> {
        Ok(i64::try_from(value).map_or(Scalar::Number(value as f64), Scalar::Integer))
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Scalar<'de>, E> {
        if value.is_finite() {
            return Ok(Scalar::Number(value));
        }
        Err(self.noted.refuse(Reason::NotFinite, pointer(self.path), "a number is NaN, infinite or too large"))
    }
    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<Scalar<'de>, E> {
        self.short(Cow::Borrowed(value))
    }
    fn visit_str<E: de::Error>(self, value: &str) -> Result<Scalar<'de>, E> {
        self.short(Cow::Owned(value.to_owned()))
    }
    fn visit_unit<E: de::Error>(self) -> Result<Scalar<'de>, E> {
        Err(self.noted.refuse(Reason::WrongType, pointer(self.path), "`null` stands where a value belongs"))
    }
    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Scalar<'de>, A::Error> {
        Err(self.deep())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Scalar<'de>, A::Error> {
        Err(self.deep())
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }
            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn refusal(payload: &str) -> Reason {
        match array_or_one(payload.as_bytes(), &Bounds::default()) {
            Err(refusal) => refusal.reason,
            Ok(mut readings) => readings.remove(0).expect_err(payload).reason,
        }
    }

    #[test]
    fn a_reading_of_the_original() {
        let payload = r#"{"device_id":"ESP32-3F2A9C01","timestamp":"2023-11-14T22:13:20Z",
            "sensors":{"ld2410":{"presence":true,"distance":120.5,"energy":60},"mq134":{"gas_concentration":3,"unit":"ppm"}}}"#;
        let reading = array_or_one(payload.as_bytes(), &Bounds::default()).unwrap().remove(0).unwrap();
        assert_eq!(reading.device.as_deref(), Some("ESP32-3F2A9C01"));
        assert_eq!(reading.time, Some(1_700_000_000_000_000_000));
        assert_eq!(reading.sensors.len(), 2);
        assert_eq!(reading.sensors[0].fields[1], ("distance".into(), Scalar::Number(120.5)));
    }

    #[rstest]
    #[case("", Reason::Malformed)]
    #[case("{", Reason::Malformed)]
    #[case("{}x", Reason::Malformed)]
    #[case("3", Reason::Malformed)]
    #[case(r#"{"sensors":{"pir":{"motion":NaN}}}"#, Reason::NotFinite)]
    #[case(r#"{"sensors":{"pir":{"motion":-Infinity}}}"#, Reason::NotFinite)]
    #[case(r#"{"sensors":{"pir":{"motion":nan}}}"#, Reason::NotFinite)]
    #[case(r#"{"sensors":{"pir":{"motion":-inf}}}"#, Reason::NotFinite)]
    #[case(r#"{"sensors":{"pir":{"motion":nul}}}"#, Reason::Malformed)]
    #[case(r#"{"sensors":{"pir":{"motion":1e999}}}"#, Reason::NotFinite)]
    #[case(r#"{"seq":1,"seq":2}"#, Reason::DuplicateKey)]
    #[case(r#"{"sensors":{},"sensors":{}}"#, Reason::DuplicateKey)]
    #[case(r#"{"sensors":{"a":{"b":1,"b":2}}}"#, Reason::DuplicateKey)]
    #[case(r#"{"sensors":{"a":{},"a":{}}}"#, Reason::DuplicateKey)]
    #[case(r#"{"sensors":{"a":{"b":[1]}}}"#, Reason::TooDeep)]
    #[case(r#"{"sensors":{"a":{"b":{}}}}"#, Reason::TooDeep)]
    #[case(r#"{"timestamp":[[[[[[]]]]]]}"#, Reason::TooDeep)]
    #[case(r#"{"sensors":{"a":{"b":null}}}"#, Reason::WrongType)]
    #[case(r#"{"timestamp":"now"}"#, Reason::BadTimestamp)]
    #[case(r#"{"seq":0}"#, Reason::BadSequence)]
    #[case(r#"{"seq":1.5}"#, Reason::BadSequence)]
    #[case(r#"{"boot":"a b"}"#, Reason::BadSequence)]
    #[case(r#"{"kept_from":0}"#, Reason::BadSequence)]
    #[case(r#"{"kept_from":1,"kept_from":1}"#, Reason::DuplicateKey)]
    #[case(r#"{"extra":1}"#, Reason::UnknownKey)]
    fn refused(#[case] payload: &str, #[case] reason: Reason) {
        assert_eq!(refusal(payload), reason, "{payload}");
    }

    #[test]
    fn a_thousand_brackets_are_refused_where_the_first_one_opens() {
        let payload = format!(r#"{{"sensors":{{"a":{{"b":{}"#, "[".repeat(100_000));
        assert_eq!(refusal(&payload), Reason::TooDeep);
        let list = "[".repeat(100_000);
        assert_eq!(refusal(&list), Reason::Malformed);
    }

    #[test]
    fn each_reading_of_an_array_is_judged_by_itself() {
        let list = array_or_one(br#"[{"seq":1},{"seq":0},{"seq":3}]"#, &Bounds::default()).unwrap();
        assert_eq!(list.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    }

    #[rstest]
    #[case(r#"{"seq":7,"boot":"b","sensors":{"pir":{"motion":NaN}}}"#)]
    #[case(r#"{"timestamp":"now","seq":7,"boot":"b"}"#)]
    #[case(r#"{"sensors":{"a":{"b":null}},"boot":"b","seq":7}"#)]
    #[case(r#"{"timestamp":1,"timestamp":1,"boot":"b","seq":7}"#)]
    #[case(r#"{"extra":{"seq":8},"boot":"b","seq":7}"#)]
    #[case(r#"{"sensors":{"a":{"b":[[[1]]]}},"boot":"b","seq":7}"#)]
    #[case(r#"{"boot":"b","seq":7,"sensors":{"a":{"b":"#)]
    fn a_refusal_knows_the_number(#[case] payload: &str) {
        for refusal in [
            array_or_one(payload.as_bytes(), &Bounds::default()).unwrap().remove(0).unwrap_err(),
            one_sensor(payload.replace("motion", "m").as_bytes(), "pir", &Bounds::default()).unwrap_err(),
        ] {
            let number = refusal.number.expect(payload);
            assert_eq!((number.seq, &*number.boot), (7, "b"));
        }
    }

    #[test]
    fn an_array_with_broken_readings_loses_only_those() {
        let payload = br#"[{"seq":1,"boot":"b"},{"seq":2,"boot":"b","sensors":{"a":{"b":nan}}},{"seq":3,"boot":"b"},{"seq":4,"boo"#;
        let list = array_or_one(payload, &Bounds::default()).unwrap();
        let seqs: Vec<_> = list
            .iter()
            .map(|one| match one {
                Ok(raw) => (raw.seq, "ok"),
                Err(refusal) => (refusal.number.as_ref().map(|number| number.seq), refusal.reason.word()),
            })
            .collect();
        assert_eq!(seqs, [(Some(1), "ok"), (Some(2), "not_finite"), (Some(3), "ok"), (None, "malformed")]);
    }

    #[test]
    fn what_is_too_large_knows_its_number() {
        let bounds = Bounds { payload_bytes: 64, ..Bounds::default() };
        let payload = format!(r#"{{"seq":7,"boot":"b","note":"{}"}}"#, "x".repeat(64));
        for refusal in [
            array_or_one(payload.as_bytes(), &bounds).unwrap_err(),
            one_sensor(payload.as_bytes(), "pir", &bounds).unwrap_err(),
        ] {
            assert_eq!((refusal.reason, refusal.number.map(|number| number.seq)), (Reason::TooLarge, Some(7)));
        }
    }

    #[test]
    fn sizes_are_bounded() {
        let bounds = Bounds { payload_bytes: 64, readings: 2, ..Bounds::default() };
        assert_eq!(array_or_one(&[b' '; 65], &bounds).unwrap_err().reason, Reason::TooLarge);
        assert_eq!(array_or_one(b"[{},{},{}]", &bounds).unwrap_err().reason, Reason::TooLarge);
    }

    proptest! {
        #[test]
        fn never_panics(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = array_or_one(&payload, &Bounds::default());
            let _ = one_sensor(&payload, "pir", &Bounds::default());
        }

        #[test]
        fn near_json_never_panics(payload in r#"[\[\]{}":,\\a-eNIu0-9.\-+ é]{0,80}"#) {
            let _ = array_or_one(payload.as_bytes(), &Bounds::default());
            let _ = one_sensor(payload.as_bytes(), "pir", &Bounds::default());
        }
    }
}

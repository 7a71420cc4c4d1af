//! Mutated payloads through every parser: none may panic, take long, or get anything into InfluxDB that was not measured.
//! 5,000 payloads in `make test`; `FUZZ_RUNS=1000000 cargo test --release -p data-ingestion fuzz -- --nocapture` for more, with
//! `FUZZ_SEED` to repeat a run.

use crate::http::gunzip;
use crate::intake::Format;
use crate::line;
use crate::payload::{Bounds, Clock, Raw, Refusal, array_or_one, lines, one_sensor, parse_rfc3339};
use crate::reading::{self, Block, Reading};
use crate::schema::{Judge, original};
use crate::stream::DeadLetter;
use flate2::Compression;
use flate2::write::GzEncoder;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::time::{ClockId, clock_gettime};
use service::TopicPrefix;
use service::config::Setting;
use service::schema::ReadingSchema;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

const NOW: i64 = 1_700_000_100_000_000_000;

/// No bounded payload may take more processor time, not even in a debug build.
const LONGEST: Duration = Duration::from_secs(5);

/// This thread's processor time: a machine that is busy with other things tells nothing about our parsers.
fn spent() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// What payloads are made of.
const SEEDS: &[&str] = &[
    r#"{"device_id":"esp-1","timestamp":"2023-11-14T22:13:20.5Z","seq":7,"boot":"b.1","sensors":{"ld2410":{"presence":true,"distance":120.5,"energy":60},"pir":{"motion_detected":false},"mq134":{"gas_concentration":1500,"unit":"ppb"}}}"#,
    r#"[{"timestamp":1700000000,"seq":1,"boot":"b","sensors":{"pir":{"motion_detected":true}}},{"timestamp":1700000000001,"seq":2,"boot":"b","kept_from":1,"sensors":{"mq134":{"gas_concentration":3}}}]"#,
    r#"{"timestamp":1700000000000000000,"motion_detected":true}"#,
    r#"{"timestamp":1700000000,"seq":9007199254740991,"boot":7,"gas_concentration":1e-3,"unit":"ppm"}"#,
    "ld2410,device_id=esp-1,seq=7,boot=a distance=12.5,energy=3i,presence=t 1700000000\nmq134 gas_concentration=3 1700000000000\n",
    "pir,boot=b,seq=1,kept_from=1 motion_detected=t,note=\"a \\\"b\\\", c\" 1700000000000000000\n# comment\n\nmq134_gas concentration\\ ppm=1,unit=\"ppm\"",
];

/// What is pasted in: where parsers are weak.
const TOKENS: &[&str] = &[
    "[",
    "]",
    "{",
    "}",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\\\"",
    ":",
    ",",
    " ",
    "\n",
    "\r\n",
    "\0",
    "=",
    "i",
    "u",
    "-",
    "+",
    "e",
    "E",
    ".",
    "NaN",
    "-Infinity",
    "1e999",
    "-1e-999",
    "0x10",
    "1_000",
    "00",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "null",
    "true",
    "false",
    "nul",
    "\u{feff}",
    "é",
    "\u{202e}",
    "\u{10ffff}",
    "device_id",
    "esp-2",
    "timestamp",
    "sensors",
    "seq",
    "boot",
    "kept_from",
    "unit",
    "pir",
    "motion_detected",
    "\"timestamp\":0,",
    "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:60+99:99",
    "{\"a\":",
    "[[[[[[[[",
    ",device_id=x",
    "\n# ",
    "m,host=a b=1 ",
    "\\,",
    "\\=",
    "\\ ",
    "//",
    "#",
    "$SYS/",
    "+",
];

struct Mutator(StdRng);

impl Mutator {
    fn below(&mut self, most: usize) -> usize {
        if most == 0 { 0 } else { self.0.random_range(0..most) }
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    fn payload(&mut self) -> Vec<u8> {
        let mut bytes = self.pick(SEEDS).as_bytes().to_vec();
        for _ in 0..=self.below(6) {
            self.mutate(&mut bytes);
        }
        bytes
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len() + 1);
        let end = (at + self.below(24)).min(bytes.len());
        match self.0.random_range(0..1000) {
            0..300 => {
                let token = self.pick(TOKENS);
                bytes.splice(at..at, token.bytes());
            }
            300..450 => {
                let token = self.pick(TOKENS);
                bytes.splice(at..end, token.bytes());
            }
            450..600 => {
                bytes.drain(at..end);
            }
            600..700 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = self.0.random();
                }
            }
            700..800 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << self.0.random_range(0..8);
                }
            }
            800..900 => {
                let other = self.pick(SEEDS).as_bytes();
                let from = self.below(other.len());
                bytes.splice(at..end, other[from..].iter().copied());
            }
            900..998 => {
                let piece = bytes[at..end].to_vec();
                let times = self.below(20);
                bytes.splice(at..at, piece.repeat(times));
            }
            // Up to what a payload may be long.
            _ => {
                let piece = bytes[at..end].to_vec();
                let times = 200_000 / piece.len().max(1);
                bytes.splice(at..at, piece.repeat(times));
            }
        }
    }
}

#[test]
fn fuzz() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let runs = number("FUZZ_RUNS").unwrap_or(5_000);
    let seed = number("FUZZ_SEED").unwrap_or_else(rand::random);
    let schema = original();
    let prefix = TopicPrefix::parse("n").expect("a prefix");
    let mut mutator = Mutator(StdRng::seed_from_u64(seed));
    let (begun, mut stored, mut slowest) = (spent(), 0, Duration::ZERO);
    for run in 0..runs {
        let payload = mutator.payload();
        let at = spent();
        match catch_unwind(AssertUnwindSafe(|| all(&schema, &prefix, &payload))) {
            Ok(points) => stored += points,
            Err(_) => panic!("FUZZ_SEED={seed}, run {run}: {:?}", String::from_utf8_lossy(&payload)),
        }
        slowest = slowest.max(spent().saturating_sub(at));
        assert!(slowest < LONGEST, "FUZZ_SEED={seed}, run {run}: {slowest:?} for {} bytes", payload.len());
    }
    // Mutations that leave nothing whole would test only the first lines of the parsers.
    assert!(stored > runs / 50, "only {stored} points of {runs} payloads were accepted");
    println!(
        "{runs} payloads with seed {seed} in {:?}: {stored} points accepted, the slowest took {slowest:?}",
        spent().saturating_sub(begun)
    );
}

/// One payload through everything; how many points would be stored.
fn all(schema: &ReadingSchema, prefix: &TopicPrefix, payload: &[u8]) -> u64 {
    let bounds = Bounds { payload_bytes: 256 * 1024, ..Bounds::default() };
    let mut points = 0;
    for list in [array_or_one(payload, &bounds), Ok(vec![one_sensor(payload, "pir", &bounds)]), lines(payload, &bounds)]
    {
        match list {
            Ok(list) => list.into_iter().for_each(|raw| points += judged(schema, raw)),
            Err(refusal) => modest(&refusal),
        }
    }
    points += judged(schema, one_sensor(payload, "mq134", &bounds));
    let text = String::from_utf8_lossy(payload);
    if let Some((_, last)) = prefix.parse_up(&format!("n/sensors/{text}")) {
        let _ = Format::of_topic(last);
    }
    let _ = (prefix.parse_up(&text), parse_rfc3339(&text));
    let letter = DeadLetter::new("malformed", "", &text, None, payload);
    assert!(serde_json::to_vec(&letter).expect("JSON").len() <= 8 * DeadLetter::PAYLOAD_BYTES);
    damaged(payload);
    packed(payload);
    points
}

/// A refusal goes into logs, answers and dead letters: a stranger's text in it must be short.
fn modest(refusal: &Refusal) {
    assert!(refusal.text.len() < 1024 && refusal.pointer.len() < 1024, "{refusal:?}");
    assert!(!refusal.reason.word().is_empty());
}

fn judged(schema: &ReadingSchema, raw: Result<Raw<'_>, Refusal>) -> u64 {
    let judge = Judge { device: "esp-1", schema, clock: &Clock::default(), now: NOW };
    match raw.and_then(|raw| judge.judge(&raw)) {
        Ok(reading) => through(&reading),
        Err(refusal) => {
            modest(&refusal);
            0
        }
    }
}

/// What was accepted must come back from the stream as it was, and be one line with these values and no other.
fn through(reading: &Reading) -> u64 {
    assert!((Clock::default().oldest..=NOW + 300_000_000_000).contains(&reading.time));
    let mut block = Block::default();
    block.push(reading);
    let stored = reading::read(block.bytes()).expect("our own block");
    assert_eq!((stored.len(), stored[0].time, stored[0].seq), (1, reading.time, reading.seq));
    assert_eq!((stored[0].kept_from, stored[0].boot.is_empty()), (reading.kept_from, reading.seq == 0));
    let points = stored[0].points().expect("our own points");
    assert_eq!(points.len(), reading.points.len());
    for (measurement, fields) in &points {
        let mut text = String::new();
        line::point(&mut text, measurement, stored[0].device, fields, stored[0].time);
        assert_eq!(text.lines().count(), 1, "{text:?}");
        let again =
            lines(text.as_bytes(), &Bounds { text_bytes: 4096, ..Bounds::default() }).expect("a line").remove(0);
        let again = again.unwrap_or_else(|refusal| panic!("{refusal:?}: {text:?}"));
        assert_eq!((again.device.as_deref(), again.time), (Some("esp-1"), Some(reading.time)), "{text:?}");
        assert_eq!((&*again.sensors[0].name, again.boot), (*measurement, None), "{text:?}");
    }
    points.len() as u64
}

/// As if it stood in the stream.
fn damaged(bytes: &[u8]) {
    for version in [1, 2] {
        let mut block = vec![version];
        block.extend_from_slice(&bytes[..bytes.len().min(300)]);
        if let Ok(readings) = reading::read(&block) {
            for reading in readings {
                let _ = reading.points();
            }
        }
    }
}

/// Damaged gzip, and gzip that unpacks to more than is allowed.
fn packed(bytes: &[u8]) {
    let short = &bytes[..bytes.len().min(300)];
    let _ = gunzip(short, 64);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(short).expect("memory");
    let mut whole = encoder.finish().expect("memory");
    assert_eq!(gunzip(&whole, 64).is_ok(), short.len() <= 64);
    let at = bytes.len() % whole.len();
    whole[at] ^= 0x55;
    let _ = gunzip(&whole, 64);
}

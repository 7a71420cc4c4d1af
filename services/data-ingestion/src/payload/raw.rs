//! A reading as it was sent, before the device type has judged it.

use std::borrow::Cow;

/// What a payload may cost. Readings of real sensors have a handful of values; these bounds leave room and end attacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Longest payload of one MQTT message, WebSocket frame or HTTP body, unpacked.
    pub payload_bytes: usize,
    /// Readings in one payload.
    pub readings: usize,
    /// Sensors in one reading.
    pub sensors: usize,
    /// Values of one sensor.
    pub fields: usize,
    /// Longest text value, and longest key.
    pub text_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { payload_bytes: 1 << 20, readings: 1000, sensors: 32, fields: 64, text_bytes: 256 }
    }
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar<'a> {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number that is not whole, or larger than an `i64`.
    Number(f64),
    /// Text.
    Text(Cow<'a, str>),
}

impl Scalar<'_> {
    /// The type's name, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Scalar::Bool(_) => "a boolean",
            Scalar::Integer(_) => "a whole number",
            Scalar::Number(_) => "a number",
            Scalar::Text(_) => "text",
        }
    }
}

/// The values of one sensor.
#[derive(Debug, Clone, PartialEq)]
pub struct SensorValues<'a> {
    /// The sensor's name, as sent.
    pub name: Cow<'a, str>,
    /// Its values; no name stands twice.
    pub fields: Vec<(Cow<'a, str>, Scalar<'a>)>,
}

/// A reading as it was sent. `seq` and `boot` are already checked, so that a refusal further on can still be settled.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Raw<'a> {
    /// Its line, from 1; none in JSON.
    pub line: Option<usize>,
    /// Which device it says it is from.
    pub device: Option<Cow<'a, str>>,
    /// Nanoseconds since 1970.
    pub time: Option<i64>,
    /// The device's number of it, from 1.
    pub seq: Option<u64>,
    /// Since which start of the device it counts.
    pub boot: Option<Cow<'a, str>>,
    /// The lowest number of this start that the device still keeps.
    pub kept_from: Option<u64>,
    /// What was measured.
    pub sensors: Vec<SensorValues<'a>>,
}

/// The largest `seq`: what a double holds exactly, as Redis' scripts count in doubles.
pub(super) const SEQ_LARGEST: u64 = (1 << 53) - 1;

/// `boot` goes into a Redis key and an owner's mark, so nothing but these.
pub(super) fn is_boot(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

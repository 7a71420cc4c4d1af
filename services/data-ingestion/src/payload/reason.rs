//! Why something was refused: a word for metrics and dead letters, and a sentence for people.

use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $word:literal),* $(,)?) => {
        /// The kind of a refusal: a label of metrics, so there are only these.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason { $($(#[$doc])* $name),* }

        impl Reason {
            /// All of them.
            pub const ALL: &[Reason] = &[$(Reason::$name),*];

            /// The word that stands in metrics, dead letters and receipts.
            pub fn word(self) -> &'static str {
                match self { $(Reason::$name => $word),* }
            }
        }
    };
}

reasons! {
    /// Not JSON, not line protocol.
    Malformed = "malformed",
    /// Not UTF-8.
    NotUtf8 = "not_utf8",
    /// More bytes, readings, sensors or fields than allowed.
    TooLarge = "too_large",
    /// An array or object where a value belongs.
    TooDeep = "too_deep",
    /// A key that stands twice in one object.
    DuplicateKey = "duplicate_key",
    /// A value of another type than the device type says.
    WrongType = "wrong_type",
    /// NaN, infinite, or beyond what a 64-bit number holds.
    NotFinite = "not_finite",
    /// Outside the range that the device type allows.
    OutOfRange = "out_of_range",
    /// A key that must be there is not.
    Missing = "missing",
    /// A key that nobody knows.
    UnknownKey = "unknown_key",
    /// A sensor that the device type does not have.
    UnknownSensor = "unknown_sensor",
    /// A field that the sensor does not have.
    UnknownField = "unknown_field",
    /// Text that is no timestamp.
    BadTimestamp = "bad_timestamp",
    /// A clock that was never set.
    TooOld = "too_old",
    /// A clock that runs ahead.
    InFuture = "in_future",
    /// A `seq` or `boot` that cannot be used.
    BadSequence = "bad_sequence",
    /// The reading names another device than its topic or credential.
    WrongDevice = "wrong_device",
    /// A topic that is none of ours.
    BadTopic = "bad_topic",
    /// A device that nobody registered.
    UnknownDevice = "unknown_device",
    /// A device that may not send now.
    InactiveDevice = "inactive_device",
    /// InfluxDB would not take the point.
    Storage = "storage",
    /// More readings of the device have this time than are told apart.
    SameTime = "same_time",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a reading says it is, where that much of it can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// Which device it says it is from.
    pub device: Option<Box<str>>,
    /// Since which start of the device it counts.
    pub boot: Box<str>,
    /// The device's number of it.
    pub seq: u64,
}

/// A refusal: what kind, where, and in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// What kind.
    pub reason: Reason,
    /// In which line, from 1; none in JSON.
    pub line: Option<usize>,
    /// Where in the reading, as a JSON pointer (RFC 6901); empty for the whole.
    pub pointer: String,
    /// In words.
    pub text: String,
    /// Of what reading, if it has a number: the row of its device's numbers goes on without it.
    pub number: Option<Box<Number>>,
}

impl Refusal {
    /// A refusal of the whole payload.
    pub fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self { reason, line: None, pointer: String::new(), text: text.into(), number: None }
    }

    /// The same at this place.
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = pointer.into();
        self
    }

    /// The same of this reading.
    pub fn of(mut self, number: Option<Number>) -> Self {
        self.number = number.map(Box::new);
        self
    }
}

/// A JSON pointer (RFC 6901) to what has this path; its parts are a stranger's.
pub(crate) fn pointer(path: &[&str]) -> String {
    path.iter().map(|part| format!("/{}", shortened(part).replace('~', "~0").replace('/', "~1"))).collect()
}

/// A stranger's text, short enough for a log line and an answer.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

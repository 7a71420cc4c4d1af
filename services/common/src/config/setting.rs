//! The types that a variable's value can have.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// A type that is read from a variable's text.
pub trait Setting: Sized {
    /// How people call it: `number`, `duration`.
    const KIND: &'static str;

    /// Reads the text. The error is a lower-case fragment that follows the variable's name.
    ///
    /// # Errors
    /// Says what was expected instead.
    fn parse(text: &str) -> Result<Self, String>;
}

/// An amount of memory: `65536`, `64KiB`, `1MiB`, `2GB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl Bytes {
    /// As an index type; on 32 bits capped at what can be addressed.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

macro_rules! from_str {
    ($kind:literal: $($type:ty),+) => {$(
        impl Setting for $type {
            const KIND: &'static str = $kind;
            fn parse(text: &str) -> Result<Self, String> {
                text.parse().map_err(|error| format!("is `{text}`, not a {}: {error}", $kind))
            }
        }
    )+};
}

from_str!("number": u8, u16, u32, u64, usize, i64, f64);
from_str!("network address": IpAddr, SocketAddr);

impl Setting for String {
    const KIND: &'static str = "text";
    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl Setting for PathBuf {
    const KIND: &'static str = "path";
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self::from(text))
    }
}

impl Setting for bool {
    const KIND: &'static str = "true or false";
    fn parse(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true),
            "false" | "no" | "off" | "0" => Ok(false),
            _ => Err(format!("is `{text}`, neither `true` nor `false`")),
        }
    }
}

impl Setting for Duration {
    const KIND: &'static str = "duration";
    fn parse(text: &str) -> Result<Self, String> {
        let (number, unit) = split(text);
        let seconds = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return Err(format!("is `{text}`, not a duration like `500ms`, `30s`, `5m` or `1h`")),
        };
        number
            .parse::<f64>()
            .ok()
            .and_then(|number| Self::try_from_secs_f64(number * seconds).ok())
            .ok_or_else(|| format!("is `{text}`, not a duration like `500ms`, `30s`, `5m` or `1h`"))
    }
}

impl Setting for Bytes {
    const KIND: &'static str = "bytes";
    fn parse(text: &str) -> Result<Self, String> {
        let (number, unit) = split(text);
        let factor: Option<u64> = match unit {
            "" | "B" => Some(1),
            "KiB" | "Ki" => Some(1 << 10),
            "MiB" | "Mi" => Some(1 << 20),
            "GiB" | "Gi" => Some(1 << 30),
            "kB" | "KB" => Some(1_000),
            "MB" => Some(1_000_000),
            "GB" => Some(1_000_000_000),
            _ => None,
        };
        factor
            .zip(number.parse::<u64>().ok())
            .and_then(|(factor, number)| number.checked_mul(factor))
            .map(Self)
            .ok_or_else(|| format!("is `{text}`, not an amount like `65536`, `64KiB` or `1MiB`"))
    }
}

/// `30s` → `30`, `s`.
fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..end], text[end..].trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("30s", 30_000)]
    #[case("500ms", 500)]
    #[case("1.5m", 90_000)]
    #[case("2 h", 7_200_000)]
    fn durations(#[case] text: &str, #[case] milliseconds: u64) {
        assert_eq!(Duration::parse(text), Ok(Duration::from_millis(milliseconds)));
    }

    #[rstest]
    #[case("65536", 65_536)]
    #[case("64KiB", 65_536)]
    #[case("2 MB", 2_000_000)]
    fn amounts(#[case] text: &str, #[case] bytes: u64) {
        assert_eq!(Bytes::parse(text), Ok(Bytes(bytes)));
    }

    #[rstest]
    #[case("30")]
    #[case("")]
    #[case("-1s")]
    #[case("1e400s")]
    #[case("99999999999999999999999h")]
    fn not_durations(#[case] text: &str) {
        assert!(Duration::parse(text).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,24}") {
            let _ = (Duration::parse(&text), Bytes::parse(&text), bool::parse(&text), u16::parse(&text));
        }

        #[test]
        fn seconds_come_back(seconds in 0u64..1_000_000) {
            prop_assert_eq!(Duration::parse(&format!("{seconds}s")), Ok(Duration::from_secs(seconds)));
        }
    }
}

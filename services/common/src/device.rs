//! A device's id and the topics that belong to it: the one scheme of all services.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// `^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$`: nothing else reaches a topic, a stream or a tag, so nothing needs escaping there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceId(Box<str>);

/// The text is not a device id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a device id has 3 to 64 letters, digits, `_` and `-`, and begins with a letter or digit")]
pub struct InvalidDeviceId;

impl DeviceId {
    /// The longest id, in bytes.
    pub const LONGEST: usize = 64;

    /// The rule as a regular expression, for documents.
    pub const PATTERN: &'static str = "^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$";

    /// Whether `text` is a device id.
    pub fn is_valid(text: &str) -> bool {
        let bytes = text.as_bytes();
        (3..=Self::LONGEST).contains(&bytes.len())
            && bytes[0].is_ascii_alphanumeric()
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DeviceId {
    type Err = InvalidDeviceId;
    fn from_str(text: &str) -> Result<Self, InvalidDeviceId> {
        if Self::is_valid(text) { Ok(Self(text.into())) } else { Err(InvalidDeviceId) }
    }
}

impl TryFrom<String> for DeviceId {
    type Error = InvalidDeviceId;
    fn try_from(text: String) -> Result<Self, InvalidDeviceId> {
        if Self::is_valid(&text) { Ok(Self(text.into_boxed_str())) } else { Err(InvalidDeviceId) }
    }
}

impl From<DeviceId> for String {
    fn from(id: DeviceId) -> Self {
        id.0.into_string()
    }
}

impl AsRef<str> for DeviceId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for DeviceId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What all topics begin with (`MQTT_TOPIC_PREFIX`): levels of letters, digits, `_`, `-` and `.`, joined by `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPrefix(Box<str>);

impl TopicPrefix {
    /// What is used when nothing is set.
    pub const DEFAULT: &'static str = "neurobuild";

    /// The prefix's text, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The topics of one device.
    pub fn device<'a>(&'a self, device: &'a DeviceId) -> Topics<'a> {
        Topics { prefix: &self.0, device: device.as_str() }
    }

    /// What ingestion subscribes to, without `$share/…`: everything that devices send.
    pub fn everything_up(&self) -> String {
        format!("{}/sensors/+/+", self.0)
    }

    /// The device's id and the last level of a topic that a device sends to (`data`, `line` or a sensor's name).
    pub fn parse_up<'t>(&self, topic: &'t str) -> Option<(&'t str, &'t str)> {
        let rest = topic.strip_prefix(&*self.0)?.strip_prefix("/sensors/")?;
        let (device, last) = rest.split_once('/')?;
        (DeviceId::is_valid(device) && !last.is_empty() && !last.contains('/')).then_some((device, last))
    }
}

impl crate::config::Setting for TopicPrefix {
    const KIND: &'static str = "topic";
    fn parse(text: &str) -> Result<Self, String> {
        let level = |level: &str| {
            !level.is_empty() && level.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        };
        if text.len() <= 128 && text.split('/').all(level) {
            Ok(Self(text.into()))
        } else {
            Err(format!("is `{text}`, not levels of letters, digits, `_`, `-` and `.` joined by `/`"))
        }
    }
}

/// The topics of one device.
#[derive(Debug, Clone, Copy)]
pub struct Topics<'a> {
    prefix: &'a str,
    device: &'a str,
}

impl Topics<'_> {
    /// Where it sends whole readings.
    pub fn data(self) -> String {
        format!("{}/sensors/{}/data", self.prefix, self.device)
    }

    /// Where it sends InfluxDB line protocol.
    pub fn line(self) -> String {
        format!("{}/sensors/{}/line", self.prefix, self.device)
    }

    /// Where it sends the values of one sensor.
    pub fn sensor(self, sensor: &str) -> String {
        format!("{}/sensors/{}/{sensor}", self.prefix, self.device)
    }

    /// Every topic that it may send to, as one filter.
    pub fn up(self) -> String {
        format!("{}/sensors/{}/+", self.prefix, self.device)
    }

    /// Every topic that it may hear, as one filter.
    pub fn down(self) -> String {
        format!("{}/devices/{}/+", self.prefix, self.device)
    }

    /// Where it hears what was stored; only ingestion sends there.
    pub fn receipts(self) -> String {
        format!("{}/devices/{}/receipts", self.prefix, self.device)
    }

    /// Where it hears what to do.
    pub fn commands(self) -> String {
        format!("{}/devices/{}/commands", self.prefix, self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Setting;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("ESP32-3F2A9C01", true)]
    #[case("abc", true)]
    #[case("ab", false)]
    #[case("-abc", false)]
    #[case("a/b", false)]
    #[case("a+b", false)]
    #[case("a#b", false)]
    #[case("a b", false)]
    #[case("größe", false)]
    #[case("abc\n", false)]
    fn ids(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(text.parse::<DeviceId>().is_ok(), valid);
    }

    #[rstest]
    #[case("neurobuild", true)]
    #[case("site-1/lab", true)]
    #[case("", false)]
    #[case("/a", false)]
    #[case("a/", false)]
    #[case("a/#", false)]
    #[case("$SYS", false)]
    fn prefixes(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(TopicPrefix::parse(text).is_ok(), valid);
    }

    proptest! {
        #[test]
        fn a_valid_id_comes_back_from_its_topic(id in "[A-Za-z0-9][A-Za-z0-9_-]{2,63}", sensor in "[a-z0-9]{1,10}") {
            let prefix = TopicPrefix::parse("site/lab").unwrap();
            let id: DeviceId = id.parse().unwrap();
            let topic = prefix.device(&id).sensor(&sensor);
            prop_assert_eq!(prefix.parse_up(&topic), Some((id.as_str(), sensor.as_str())));
        }

        #[test]
        fn any_topic_is_read_without_panic(topic in "\\PC{0,40}", tail in "\\PC{0,40}") {
            let prefix = TopicPrefix::parse("n").unwrap();
            if let Some((device, last)) = prefix.parse_up(&format!("n/sensors/{tail}")) {
                prop_assert!(DeviceId::is_valid(device) && !last.contains('/'));
            }
            let _ = prefix.parse_up(&topic);
        }
    }
}

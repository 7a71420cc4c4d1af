//! A device type.

use super::text::{is_name, texts_are_plain};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::Detail;
use service::schema::ReadingSchema;
use utoipa::ToSchema;

/// A device type with the schema of its readings.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct DeviceType {
    /// Its name.
    pub(crate) name: String,
    /// More about it.
    pub(crate) description: String,
    /// The sensors of its devices.
    pub(crate) sensors: ReadingSchema,
    /// Counts its changes; the same as its `ETag`.
    pub(crate) version: i64,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// When it was last changed.
    pub(crate) updated_at: Timestamp,
}

/// A device type to make or to put in the place of another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDeviceType {
    /// More about it.
    #[serde(default)]
    #[schema(max_length = 1024)]
    pub(crate) description: String,
    /// The sensors of its devices.
    pub(crate) sensors: ReadingSchema,
}

impl NewDeviceType {
    /// Every mistake.
    pub(crate) fn mistakes(&self, name: &str) -> Vec<Detail> {
        let mut mistakes = self.sensors.mistakes("/sensors");
        if !is_name(name) {
            let detail = "a name has 1 to 64 letters, digits, `_`, `.` and `-`".to_owned();
            mistakes.push(Detail { pointer: "name".to_owned(), detail });
        }
        texts_are_plain(&mut mistakes, [("/description", Some(self.description.as_str()), 1024)]);
        mistakes
    }
}

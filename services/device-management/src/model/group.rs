//! A group of devices.

use super::text::{is_name, texts_are_plain};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::Detail;
use utoipa::ToSchema;

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Group {
    /// Its name.
    pub(crate) name: String,
    /// More about it.
    pub(crate) description: String,
    /// How many devices are in it.
    pub(crate) devices: i64,
    /// When it was made.
    pub(crate) created_at: Timestamp,
}

/// A group to make or to change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewGroup {
    /// More about it.
    #[serde(default)]
    #[schema(max_length = 1024)]
    pub(crate) description: String,
}

impl NewGroup {
    /// Every mistake.
    pub(crate) fn mistakes(&self, name: &str) -> Vec<Detail> {
        let mut mistakes = Vec::new();
        if !is_name(name) {
            let detail = "a name has 1 to 64 letters, digits, `_`, `.` and `-`".to_owned();
            mistakes.push(Detail { pointer: "name".to_owned(), detail });
        }
        texts_are_plain(&mut mistakes, [("/description", Some(self.description.as_str()), 1024)]);
        mistakes
    }
}

//! Changing a device: JSON merge patch (RFC 7396). Absent is unchanged, `null` is removed.

use super::device::{Location, State, tags_mistakes};
use super::text::{is_name, texts_are_plain};
use serde::{Deserialize, Deserializer};
use service::{Detail, object, unique, word};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What is to be different about a device.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DevicePatch {
    /// Another type.
    #[serde(default, rename = "type", deserialize_with = "set")]
    #[schema(nullable = false, pattern = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    pub(crate) kind: Option<String>,
    /// Another name.
    #[serde(default, deserialize_with = "set")]
    #[schema(nullable = false, max_length = 128)]
    pub(crate) name: Option<String>,
    /// Another description.
    #[serde(default, deserialize_with = "set")]
    #[schema(nullable = false, max_length = 1024)]
    pub(crate) description: Option<String>,
    /// `active`, `maintenance` or `suspended`; decommissioning is `DELETE`.
    #[serde(default, deserialize_with = "set_word")]
    #[schema(nullable = false)]
    pub(crate) state: Option<State>,
    /// Another place.
    #[serde(default, deserialize_with = "set_object")]
    #[schema(nullable = false)]
    pub(crate) location: Option<LocationPatch>,
    /// Tags to set; `null` removes one.
    #[serde(default, deserialize_with = "set_unique")]
    #[schema(nullable = false)]
    pub(crate) tags: Option<BTreeMap<String, Option<String>>>,
    /// Another firmware.
    #[serde(default, deserialize_with = "set_or_removed")]
    #[schema(value_type = Option<String>, max_length = 64)]
    pub(crate) firmware: Option<Option<String>>,
}

/// What is to be different about a place; `null` removes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LocationPatch {
    /// The building or site.
    #[serde(default, deserialize_with = "set_or_removed")]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) name: Option<Option<String>>,
    /// The room.
    #[serde(default, deserialize_with = "set_or_removed")]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) room: Option<Option<String>>,
    /// The part of the room.
    #[serde(default, deserialize_with = "set_or_removed")]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) zone: Option<Option<String>>,
    /// Degrees north.
    #[serde(default, deserialize_with = "set_or_removed")]
    #[schema(value_type = Option<f64>, minimum = -90, maximum = 90)]
    pub(crate) latitude: Option<Option<f64>>,
    /// Degrees east.
    #[serde(default, deserialize_with = "set_or_removed")]
    #[schema(value_type = Option<f64>, minimum = -180, maximum = 180)]
    pub(crate) longitude: Option<Option<f64>>,
}

/// What is always there cannot be removed: `null` is a mistake.
fn set<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

fn set_object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    object(from).map(Some)
}

fn set_word<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    word(from).map(Some)
}

fn set_unique<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<BTreeMap<String, T>>, D::Error> {
    unique(from).map(Some)
}

/// Absent and `null` differ.
#[expect(clippy::option_option, reason = "absent, removed, set: RFC 7396")]
fn set_or_removed<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl DevicePatch {
    /// Every mistake that shows without the device.
    pub(crate) fn mistakes(&self) -> Vec<Detail> {
        let mut mistakes = Vec::new();
        if self.kind.as_deref().is_some_and(|kind| !is_name(kind)) {
            mistakes.push(Detail { pointer: "/type".to_owned(), detail: "is no name of a type".to_owned() });
        }
        if self.state == Some(State::Decommissioned) {
            let detail = "a device is decommissioned by `DELETE`".to_owned();
            mistakes.push(Detail { pointer: "/state".to_owned(), detail });
        }
        let firmware = self.firmware.as_ref().and_then(Option::as_deref);
        texts_are_plain(
            &mut mistakes,
            [
                ("/name", self.name.as_deref(), 128),
                ("/description", self.description.as_deref(), 1024),
                ("/firmware", firmware, 64),
            ],
        );
        if let Some(location) = &self.location {
            location.applied(Location::default()).mistakes(&mut mistakes);
        }
        if let Some(tags) = &self.tags {
            let tags = tags.iter().map(|(key, value)| (key.as_str(), value.as_deref().unwrap_or_default()));
            tags_mistakes(&mut mistakes, tags);
        }
        mistakes
    }

    /// The tags after the change.
    pub(crate) fn tags_applied(&self, mut tags: BTreeMap<String, String>) -> BTreeMap<String, String> {
        for (key, value) in self.tags.iter().flatten() {
            match value {
                Some(value) => tags.insert(key.clone(), value.clone()),
                None => tags.remove(key),
            };
        }
        tags
    }
}

impl LocationPatch {
    /// The place after the change.
    pub(crate) fn applied(&self, place: Location) -> Location {
        Location {
            name: self.name.clone().unwrap_or(place.name),
            room: self.room.clone().unwrap_or(place.room),
            zone: self.zone.clone().unwrap_or(place.zone),
            latitude: self.latitude.unwrap_or(place.latitude),
            longitude: self.longitude.unwrap_or(place.longitude),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<DevicePatch, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn absent_null_and_set_differ() {
        let patch =
            read(r#"{"firmware": null, "location": {"room": null, "zone": "door"}, "tags": {"a": null, "b": "2"}}"#)
                .unwrap();
        assert_eq!((patch.firmware.clone(), patch.name.clone()), (Some(None), None));
        let place = Location { name: Some("hall".into()), room: Some("1".into()), ..Location::default() };
        let moved = patch.location.as_ref().unwrap().applied(place);
        assert_eq!((moved.name.as_deref(), moved.room, moved.zone.as_deref()), (Some("hall"), None, Some("door")));
        let tags = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("c".to_owned(), "3".to_owned())]);
        assert_eq!(patch.tags_applied(tags).into_keys().collect::<String>(), "bc");
    }

    #[test]
    fn what_cannot_be_removed_or_known_is_refused() {
        assert!(read(r#"{"name": null}"#).is_err());
        assert!(read(r#"{"nam": "x"}"#).is_err());
        assert_eq!(read(r#"{"state": "decommissioned", "name": "\u0000"}"#).unwrap().mistakes().len(), 2);
    }
}

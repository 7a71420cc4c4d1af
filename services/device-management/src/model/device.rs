//! A device.

use super::text::{is_name, texts_are_plain};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::{Detail, DeviceId, object, unique};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// How many tags a device may have.
pub(crate) const MOST_TAGS: usize = 64;

/// In how many groups it may be put when it is registered.
const MOST_GROUPS: usize = 64;

/// What a device may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Works.
    Active,
    /// Works, but its alarms are not to be believed.
    Maintenance,
    /// Locked out for a time; keeps its key.
    Suspended,
    /// Gone for good. Its id is never given out again, since its readings remain.
    Decommissioned,
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Maintenance => "maintenance",
            Self::Suspended => "suspended",
            Self::Decommissioned => "decommissioned",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Maintenance, Self::Suspended, Self::Decommissioned]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// Whether the device's account at the MQTT broker is as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AccountState {
    /// There is no key, so that there is nothing to be in step.
    None,
    /// A change is on its way.
    Waiting,
    /// As it should be.
    InStep,
    /// The broker lost the account: rotate the key.
    Lost,
}

/// Where a device is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Location {
    /// The building or site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    pub(crate) name: Option<String>,
    /// The room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    pub(crate) room: Option<String>,
    /// The part of the room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    pub(crate) zone: Option<String>,
    /// Degrees north.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -90, maximum = 90)]
    pub(crate) latitude: Option<f64>,
    /// Degrees east.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -180, maximum = 180)]
    pub(crate) longitude: Option<f64>,
}

/// A device's key, without the key: that was shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Credential {
    /// Which.
    pub(crate) id: Uuid,
    /// Since when.
    pub(crate) created_at: Timestamp,
}

/// A device.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Device {
    /// Its id, also its user name at the broker and its tag in the time series.
    #[schema(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$")]
    pub(crate) id: DeviceId,
    /// Its type, which says what its readings look like.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// What people call it.
    pub(crate) name: String,
    /// More about it.
    pub(crate) description: String,
    /// What it may do.
    pub(crate) state: State,
    /// Where it is.
    pub(crate) location: Location,
    /// Free marks.
    pub(crate) tags: BTreeMap<String, String>,
    /// The groups it is in.
    pub(crate) groups: Vec<String>,
    /// Its firmware, as it said itself or was told here.
    pub(crate) firmware: Option<String>,
    /// When it was last heard of.
    pub(crate) last_seen: Option<Timestamp>,
    /// Whether that was lately.
    pub(crate) online: bool,
    /// Its key, if it has one.
    pub(crate) credential: Option<Credential>,
    /// Its account at the broker.
    pub(crate) account: AccountState,
    /// Counts its changes; the same as its `ETag`.
    pub(crate) version: i64,
    /// When it was registered.
    pub(crate) created_at: Timestamp,
    /// When it was last changed.
    pub(crate) updated_at: Timestamp,
}

/// A device to register.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDevice {
    /// Its id; one is made up when it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$")]
    pub(crate) id: Option<String>,
    /// An existing type.
    #[serde(rename = "type")]
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    pub(crate) kind: String,
    /// What people call it.
    #[serde(default)]
    #[schema(max_length = 128)]
    pub(crate) name: String,
    /// More about it.
    #[serde(default)]
    #[schema(max_length = 1024)]
    pub(crate) description: String,
    /// Where it is.
    #[serde(default, deserialize_with = "object")]
    pub(crate) location: Location,
    /// Free marks.
    #[serde(default, deserialize_with = "unique")]
    pub(crate) tags: BTreeMap<String, String>,
    /// Existing groups to put it in.
    #[serde(default)]
    pub(crate) groups: Vec<String>,
    /// Its firmware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub(crate) firmware: Option<String>,
}

impl Location {
    pub(crate) fn mistakes(&self, mistakes: &mut Vec<Detail>) {
        let texts = [("/location/name", &self.name), ("/location/room", &self.room), ("/location/zone", &self.zone)];
        texts_are_plain(mistakes, texts.map(|(pointer, text)| (pointer, text.as_deref(), 128)));
        let degrees = [("/location/latitude", self.latitude, 90.0), ("/location/longitude", self.longitude, 180.0)];
        for (pointer, value, most) in degrees {
            if value.is_some_and(|value| !(-most..=most).contains(&value)) {
                mistakes.push(Detail { pointer: pointer.to_owned(), detail: format!("is outside -{most} to {most}") });
            }
        }
    }
}

/// Notes what is wrong with tags.
pub(super) fn tags_mistakes<'a>(mistakes: &mut Vec<Detail>, tags: impl ExactSizeIterator<Item = (&'a str, &'a str)>) {
    if tags.len() > MOST_TAGS {
        mistakes.push(Detail { pointer: "/tags".to_owned(), detail: format!("has more than {MOST_TAGS} tags") });
    }
    for (key, value) in tags {
        let pointer = format!("/tags/{}", key.replace('~', "~0").replace('/', "~1"));
        if !is_name(key) {
            let detail = "a tag has 1 to 64 letters, digits, `_`, `.` and `-`".to_owned();
            mistakes.push(Detail { pointer: pointer.clone(), detail });
        }
        texts_are_plain(mistakes, [(pointer.as_str(), Some(value), 256)]);
    }
}

impl NewDevice {
    /// Its id, or one that is made up.
    ///
    /// # Errors
    /// Every mistake.
    pub(crate) fn checked_id(&self) -> Result<DeviceId, Vec<Detail>> {
        let mut mistakes = Vec::new();
        let id = match &self.id {
            Some(id) => id.parse::<DeviceId>(),
            None => Uuid::new_v4().simple().to_string().parse(),
        };
        if let Err(error) = &id {
            mistakes.push(Detail { pointer: "/id".to_owned(), detail: error.to_string() });
        }
        if !is_name(&self.kind) {
            mistakes.push(Detail { pointer: "/type".to_owned(), detail: "is no name of a type".to_owned() });
        }
        let (name, description) = (Some(self.name.as_str()), Some(self.description.as_str()));
        texts_are_plain(
            &mut mistakes,
            [("/name", name, 128), ("/description", description, 1024), ("/firmware", self.firmware.as_deref(), 64)],
        );
        self.location.mistakes(&mut mistakes);
        tags_mistakes(&mut mistakes, self.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        if self.groups.len() > MOST_GROUPS || self.groups.iter().any(|group| !is_name(group)) {
            mistakes.push(Detail {
                pointer: "/groups".to_owned(),
                detail: format!("has more than {MOST_GROUPS}, or what is no name of a group"),
            });
        }
        match id {
            Ok(id) if mistakes.is_empty() => Ok(id),
            _ => Err(mistakes),
        }
    }
}

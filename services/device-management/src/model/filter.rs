//! Which devices a list shows.

use super::cursor::Cursor;
use super::device::State;
use super::text::is_name;
use serde::{Deserialize, Serialize};
use service::Detail;
use std::collections::BTreeMap;
use utoipa::IntoParams;

/// What a list can be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FilterParameters {
    /// States, with commas between them; without it all but decommissioned devices.
    #[param(example = "active,maintenance")]
    pub(crate) state: Option<String>,
    /// A type.
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    /// A group.
    pub(crate) group: Option<String>,
    /// Tags as `key:value`, with commas between them; a device has them all. A comma or backslash of a value has a backslash
    /// before it.
    #[param(example = "floor:2,wing:east")]
    pub(crate) tag: Option<String>,
    /// A location's name.
    pub(crate) location: Option<String>,
    /// A room.
    pub(crate) room: Option<String>,
    /// A zone.
    pub(crate) zone: Option<String>,
    /// A firmware.
    pub(crate) firmware: Option<String>,
    /// Whether it was heard of lately.
    pub(crate) online: Option<bool>,
    /// The account at the broker: `none`, `waiting`, `in_step` or `lost`.
    pub(crate) account: Option<String>,
    /// Text in the id, name or description.
    pub(crate) q: Option<String>,
    /// How many on a page.
    #[param(minimum = 1, maximum = 500)]
    pub(crate) limit: Option<u32>,
    /// Where the page before ended: its `next`.
    pub(crate) cursor: Option<String>,
}

/// A question that makes sense.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filter {
    pub(crate) states: Vec<&'static str>,
    pub(crate) kind: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) tags: Option<BTreeMap<String, String>>,
    pub(crate) location: Option<String>,
    pub(crate) room: Option<String>,
    pub(crate) zone: Option<String>,
    pub(crate) firmware: Option<String>,
    pub(crate) online: Option<bool>,
    pub(crate) account: Option<String>,
    /// As a pattern of `LIKE`.
    pub(crate) containing: Option<String>,
    pub(crate) limit: i64,
    pub(crate) cursor: Option<Cursor>,
    question: String,
}

const PAGE: u32 = 100;
const LARGEST_PAGE: u32 = 500;

impl Filter {
    /// The cursor of a page that ended with this device.
    pub(crate) fn cursor_after(&self, device: &service::DeviceId) -> String {
        Cursor::new(device.clone(), &self.question).encode()
    }
}

impl FilterParameters {
    /// # Errors
    /// Every mistake.
    pub(crate) fn checked(self) -> Result<Filter, Vec<Detail>> {
        let mut mistakes = Vec::new();
        let mut wrong = |pointer: &str, detail: String| mistakes.push(Detail { pointer: pointer.to_owned(), detail });
        let asked = Self { cursor: None, limit: None, ..self.clone() };
        let question = serde_json::to_string(&asked).unwrap_or_default();
        let states = states(self.state.as_deref()).unwrap_or_else(|state| {
            wrong("state", format!("`{state}` is none of `active`, `maintenance`, `suspended`, `decommissioned`"));
            Vec::new()
        });
        let tags = self.tag.as_deref().map(tags).transpose().unwrap_or_else(|tag| {
            wrong("tag", format!("`{tag}` is not `key:value`"));
            None
        });
        if let Some(account) =
            self.account.as_deref().filter(|account| !["none", "waiting", "in_step", "lost"].contains(account))
        {
            wrong("account", format!("`{account}` is none of `none`, `waiting`, `in_step`, `lost`"));
        }
        let texts = [
            ("type", &self.kind),
            ("group", &self.group),
            ("location", &self.location),
            ("room", &self.room),
            ("zone", &self.zone),
            ("firmware", &self.firmware),
            ("q", &self.q),
        ];
        for (name, text) in texts {
            if text.as_ref().is_some_and(|text| text.len() > 256 || text.contains('\0')) {
                wrong(name, "has more than 256 bytes, or U+0000".to_owned());
            }
        }
        let limit = self.limit.unwrap_or(PAGE);
        if !(1..=LARGEST_PAGE).contains(&limit) {
            wrong("limit", format!("is outside 1 to {LARGEST_PAGE}"));
        }
        let cursor = self.cursor.as_deref().map(|cursor| Cursor::decode(cursor, &question)).transpose().unwrap_or_else(
            |error| {
                wrong("cursor", error.to_owned());
                None
            },
        );
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        Ok(Filter {
            states,
            kind: self.kind,
            group: self.group,
            tags,
            location: self.location,
            room: self.room,
            zone: self.zone,
            firmware: self.firmware,
            online: self.online,
            account: self.account,
            containing: self.q.filter(|q| !q.is_empty()).map(|q| like(&q)),
            limit: i64::from(limit),
            cursor,
            question,
        })
    }
}

fn states(text: Option<&str>) -> Result<Vec<&'static str>, String> {
    match text.filter(|text| !text.is_empty()) {
        None => Ok([State::Active, State::Maintenance, State::Suspended].map(State::as_str).to_vec()),
        Some(text) => text
            .split(',')
            .map(|state| State::parse(state).map(State::as_str).ok_or_else(|| state.to_owned()))
            .collect(),
    }
}

fn tags(text: &str) -> Result<BTreeMap<String, String>, String> {
    let pair = |tag: &str| {
        let (key, value) = tag.split_once(':')?;
        (is_name(key) && value.len() <= 256 && !value.contains('\0')).then(|| (key.to_owned(), value.to_owned()))
    };
    let tags = at_commas(text);
    tags.into_iter().filter(|tag| !tag.is_empty()).map(|tag| pair(&tag).ok_or(tag)).collect()
}

/// The parts between commas. What has a backslash before it is text.
fn at_commas(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, parts.last_mut()) {
            ('\\', Some(part)) => part.extend(chars.next()),
            (',', _) => parts.push(String::new()),
            (c, Some(part)) => part.push(c),
            (_, None) => {}
        }
    }
    parts
}

/// `\`, `%` and `_` mean themselves.
fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_mistake_is_found() {
        let parameters = FilterParameters {
            state: Some("active,broken".into()),
            tag: Some("floor".into()),
            account: Some("x".into()),
            limit: Some(0),
            cursor: Some("!".into()),
            ..FilterParameters::default()
        };
        let pointers: Vec<String> =
            parameters.checked().unwrap_err().into_iter().map(|mistake| mistake.pointer).collect();
        assert_eq!(pointers, ["state", "tag", "account", "limit", "cursor"]);
    }

    #[test]
    fn a_cursor_goes_with_its_filters_but_any_page_size() {
        let first = FilterParameters { zone: Some("a".into()), ..FilterParameters::default() };
        let cursor = first.clone().checked().unwrap().cursor_after(&"dev-1".parse().unwrap());
        let next = FilterParameters { cursor: Some(cursor.clone()), limit: Some(7), ..first };
        assert!(next.checked().is_ok());
        assert!(FilterParameters { cursor: Some(cursor), ..FilterParameters::default() }.checked().is_err());
    }

    proptest! {
        #[test]
        fn never_panics(state in "\\PC{0,20}", tag in "\\PC{0,40}", q in "\\PC{0,40}", limit in any::<u32>()) {
            let parameters = FilterParameters {
                state: Some(state), tag: Some(tag), q: Some(q), limit: Some(limit), ..FilterParameters::default()
            };
            if let Ok(filter) = parameters.checked() {
                prop_assert!((1..=500).contains(&filter.limit));
            }
        }

        #[test]
        fn tags_come_back(tags in proptest::collection::btree_map("[a-z]{1,5}", "[a-z0-9:,\\\\]{0,5}", 0..4)) {
            let escaped = |value: &str| value.replace('\\', "\\\\").replace(',', "\\,");
            let text = tags.iter().map(|(key, value)| format!("{key}:{}", escaped(value))).collect::<Vec<_>>().join(",");
            prop_assert_eq!(super::tags(&text), Ok(tags));
        }
    }
}

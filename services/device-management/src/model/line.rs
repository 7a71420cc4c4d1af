//! Lines of an import: CSV by its header, or a JSON object each.

use super::device::NewDevice;
use service::{Detail, DeviceId, Object};
use std::collections::HashSet;

/// A device of an import.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) id: DeviceId,
    pub(crate) device: NewDevice,
}

/// What is wrong with a line, in words.
pub(crate) type LineError = String;

const COLUMNS: [&str; 12] = [
    "id",
    "type",
    "name",
    "description",
    "location",
    "room",
    "zone",
    "latitude",
    "longitude",
    "firmware",
    "groups",
    "tags",
];

/// The columns of a CSV file, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns(Vec<String>);

impl Columns {
    /// Reads the header: the columns `id`, `type`, `name`, `description`, `location`, `room`, `zone`, `latitude`, `longitude`,
    /// `firmware`, `groups` (with `;` between them), `tags` (`key=value;…`) and `tag.<key>`.
    ///
    /// # Errors
    /// An unknown column or one that is there twice, no `id` or no `type`.
    pub(crate) fn parse(header: &[&str]) -> Result<Self, LineError> {
        let names: Vec<String> = header.iter().map(|name| column(name)).collect();
        let mut seen = HashSet::new();
        for name in &names {
            if !COLUMNS.contains(&name.as_str()) && !name.starts_with("tag.") {
                return Err(format!("`{name}` is no column: there are {} and `tag.<key>`", COLUMNS.join(", ")));
            }
            if !seen.insert(name) {
                return Err(format!("the column `{name}` is there twice"));
            }
        }
        match ["id", "type"].into_iter().find(|needed| !names.iter().any(|name| name == needed)) {
            Some(missing) => Err(format!("the column `{missing}` is missing")),
            None => Ok(Self(names)),
        }
    }

    /// Reads a line.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(crate) fn line(&self, fields: &[&str]) -> Result<Line, LineError> {
        if fields.len() != self.0.len() {
            return Err(format!("has {} fields, and the header has {}", fields.len(), self.0.len()));
        }
        let mut device = NewDevice::default();
        for (name, field) in self.0.iter().zip(fields) {
            let field = field.trim();
            if !field.is_empty() {
                fill(&mut device, name, field)?;
            }
        }
        checked(device)
    }
}

/// Without the byte order mark that spreadsheets write, and in lower case but for a tag's key.
fn column(name: &str) -> String {
    let name = name.trim_start_matches('\u{feff}').trim();
    if name.starts_with("tag.") { name.to_owned() } else { name.to_lowercase() }
}

fn fill(device: &mut NewDevice, column: &str, field: &str) -> Result<(), LineError> {
    let text = || Some(field.to_owned());
    let number = || field.parse::<f64>().map(Some).map_err(|_| format!("`{column}` is `{field}`, not a number"));
    match column {
        "id" => device.id = text(),
        "type" => field.clone_into(&mut device.kind),
        "name" => field.clone_into(&mut device.name),
        "description" => field.clone_into(&mut device.description),
        "location" => device.location.name = text(),
        "room" => device.location.room = text(),
        "zone" => device.location.zone = text(),
        "latitude" => device.location.latitude = number()?,
        "longitude" => device.location.longitude = number()?,
        "firmware" => device.firmware = text(),
        "groups" => device.groups = split(field).map(str::to_owned).collect(),
        "tags" => {
            for pair in split(field) {
                let (key, value) =
                    pair.split_once('=').ok_or_else(|| format!("the tag `{pair}` is not `key=value`"))?;
                tag(device, key.trim(), value.trim())?;
            }
        }
        other => tag(device, other.strip_prefix("tag.").unwrap_or(other), field)?,
    }
    Ok(())
}

fn tag(device: &mut NewDevice, key: &str, value: &str) -> Result<(), LineError> {
    match device.tags.insert(key.to_owned(), value.to_owned()) {
        Some(_) => Err(format!("the tag `{key}` is there twice")),
        None => Ok(()),
    }
}

fn split(field: &str) -> impl Iterator<Item = &str> {
    field.split(';').map(str::trim).filter(|part| !part.is_empty())
}

/// Reads a line of JSON.
///
/// # Errors
/// All that is wrong with it.
pub(crate) fn parse_json_line(line: &[u8]) -> Result<Line, LineError> {
    serde_json::from_slice(line).map_err(|error| error.to_string()).and_then(|Object(device)| checked(device))
}

/// An import without ids could not be repeated.
fn checked(device: NewDevice) -> Result<Line, LineError> {
    if device.id.is_none() {
        return Err("has no `id`".to_owned());
    }
    let words = |mistakes: Vec<Detail>| {
        let each = mistakes
            .into_iter()
            .map(|mistake| format!("`{}` {}", mistake.pointer.trim_start_matches('/'), mistake.detail));
        each.collect::<Vec<_>>().join("; ")
    };
    Ok(Line { id: device.checked_id().map_err(words)?, device })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_read_by_its_header() {
        let columns = Columns::parse(&["\u{feff}ID", "type", "groups", "tags", "tag.floor", "latitude"]).unwrap();
        let line = columns.line(&["dev-1", "ESP32-S3", "a; b;", "x=1;y=2", "3", "48.1"]).unwrap();
        assert_eq!(line.device.groups, ["a", "b"]);
        assert_eq!(
            line.device.tags.into_iter().map(|(k, v)| format!("{k}{v}")).collect::<Vec<_>>(),
            ["floor3", "x1", "y2"]
        );
        assert_eq!(line.device.location.latitude, Some(48.1));
    }

    #[test]
    fn headers_say_what_is_wrong() {
        assert_eq!(Columns::parse(&["id"]), Err("the column `type` is missing".to_owned()));
        assert_eq!(Columns::parse(&["id", "type", "id"]), Err("the column `id` is there twice".to_owned()));
        assert!(Columns::parse(&["id", "type", "colour"]).unwrap_err().starts_with("`colour` is no column"));
    }

    #[test]
    fn lines_say_what_is_wrong() {
        let columns = Columns::parse(&["id", "type", "latitude"]).unwrap();
        assert_eq!(columns.line(&["dev-1"]).unwrap_err(), "has 1 fields, and the header has 3");
        assert_eq!(columns.line(&["", "t", ""]).unwrap_err(), "has no `id`");
        assert_eq!(columns.line(&["dev-1", "t", "north"]).unwrap_err(), "`latitude` is `north`, not a number");
        assert!(columns.line(&["a/b", "t", "91"]).unwrap_err().contains("`location/latitude` is outside"));
        let twice = Columns::parse(&["id", "type", "tags", "tag.a"]).unwrap();
        assert_eq!(twice.line(&["dev-1", "t", "a=1;b=2", "3"]).unwrap_err(), "the tag `a` is there twice");
        assert!(
            parse_json_line(br#"{"id":"dev-1","type":"t","tags":{"a":"1","a":"2"}}"#).unwrap_err().contains("twice")
        );
        assert!(parse_json_line(br#"{"id": "dev-1", "typ": "t"}"#).unwrap_err().contains("unknown field `typ`"));
    }

    proptest! {
        #[test]
        fn never_panics(header in proptest::collection::vec("\\PC{0,12}", 0..6), fields in proptest::collection::vec("\\PC{0,20}", 0..8)) {
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            let header: Vec<&str> = header.iter().map(String::as_str).collect();
            if let Ok(columns) = Columns::parse(&header) {
                let _ = columns.line(&fields);
            }
            let all = Columns::parse(&COLUMNS).unwrap();
            let _ = all.line(&fields);
        }

        #[test]
        fn bytes_never_panic(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_json_line(&line);
        }

        #[test]
        fn json_lines_come_back(id in "[A-Za-z0-9][A-Za-z0-9_-]{2,20}", name in "[a-zA-Z0-9 äöü\"\\\\]{0,20}") {
            let device = NewDevice { id: Some(id), kind: "t".into(), name, ..NewDevice::default() };
            let line = parse_json_line(&serde_json::to_vec(&device).unwrap()).unwrap();
            prop_assert_eq!(line.device, device);
        }
    }
}

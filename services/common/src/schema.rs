//! What the readings of a device type look like: its sensors, their fields, types, units and ranges. Written by
//! device-management, obeyed by data-ingestion.

use crate::object::{objects, unique, word};
use crate::problem::Detail;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How many sensors a type, and how many fields a sensor may have.
const MOST: usize = 64;

/// The sensors of a device type by their names in readings (`ld2410`, `pir`, `mq134` …).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct ReadingSchema(#[serde(deserialize_with = "objects")] pub BTreeMap<String, Sensor>);

/// One sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sensor {
    /// The measurement in InfluxDB; the sensor's own name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 64)]
    pub measurement: Option<String>,
    /// Its values by their names in readings.
    #[serde(deserialize_with = "objects")]
    pub fields: BTreeMap<String, Field>,
}

/// One value of a sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// What kind of value it is.
    #[serde(rename = "type", deserialize_with = "word")]
    pub kind: FieldType,
    /// A reading of this sensor without it is refused.
    #[serde(default)]
    pub required: bool,
    /// The unit in which it is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 32)]
    pub unit: Option<String>,
    /// Other units that a reading may give in its member `unit`, each with the factor to the stored unit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "unique")]
    pub accepts: BTreeMap<String, f64>,
    /// The smallest number, in the stored unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// The largest number, in the stored unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
    /// The only texts allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// The field in InfluxDB; its own name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 64)]
    pub stored_as: Option<String>,
}

/// What kind of value a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// `true` or `false`.
    Boolean,
    /// A whole number of 64 bits.
    Integer,
    /// A finite number.
    Number,
    /// Text of at most 256 bytes.
    Text,
}

impl FieldType {
    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            FieldType::Boolean => "a boolean",
            FieldType::Integer => "a whole number",
            FieldType::Number => "a number",
            FieldType::Text => "text",
        }
    }
}

impl ReadingSchema {
    /// Whether `name` can be a sensor, field or measurement: `^[A-Za-z][A-Za-z0-9_]{0,63}$`. `data`, `line` are topics of their
    /// own, `time` is InfluxDB's, `unit` is the member that names a unit; the others stand beside the values of one sensor.
    pub fn is_name(name: &str) -> bool {
        name.len() <= 64
            && name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !matches!(
                name,
                "data" | "line" | "time" | "unit" | "device_id" | "timestamp" | "seq" | "boot" | "kept_from"
            )
    }

    /// Every mistake; `pointer` is where the schema stands in the request.
    pub fn mistakes(&self, pointer: &str) -> Vec<Detail> {
        let mut found = Mistakes(Vec::new());
        if self.0.is_empty() || self.0.len() > MOST {
            found.add(pointer, format!("a type has 1 to {MOST} sensors"));
        }
        let mut measurements = BTreeMap::new();
        for (name, sensor) in &self.0 {
            let at = format!("{pointer}/{}", escaped(name));
            found.name(&at, name);
            // Two sensors in one measurement, or two fields in one column: the second would overwrite the first.
            if let Some(other) = measurements.insert(sensor.measurement(name), name) {
                found.add(&at, format!("is stored in the same measurement as `{other}`"));
            }
            if let Some(measurement) = &sensor.measurement {
                found.name(&format!("{at}/measurement"), measurement);
            }
            if sensor.fields.is_empty() || sensor.fields.len() > MOST {
                found.add(&format!("{at}/fields"), format!("a sensor has 1 to {MOST} fields"));
            }
            let mut columns = BTreeMap::new();
            for (name, field) in &sensor.fields {
                if let Some(other) = columns.insert(field.column(name), name) {
                    let at = format!("{at}/fields/{}", escaped(name));
                    found.add(&at, format!("is stored in the same field as `{other}`"));
                }
                found.field(&format!("{at}/fields/{}", escaped(name)), name, field);
            }
        }
        found.0
    }
}

impl Sensor {
    /// The measurement in which it is stored, as the sensor of this name.
    pub fn measurement<'a>(&'a self, name: &'a str) -> &'a str {
        self.measurement.as_deref().unwrap_or(name)
    }
}

impl Field {
    /// The field of InfluxDB in which it is stored, as the field of this name.
    pub fn column<'a>(&'a self, name: &'a str) -> &'a str {
        self.stored_as.as_deref().unwrap_or(name)
    }
}

struct Mistakes(Vec<Detail>);

impl Mistakes {
    fn add(&mut self, pointer: &str, detail: impl Into<String>) {
        self.0.push(Detail { pointer: pointer.to_owned(), detail: detail.into() });
    }

    fn name(&mut self, pointer: &str, name: &str) {
        if !ReadingSchema::is_name(name) {
            self.add(
                pointer,
                "a name has 1 to 64 letters, digits and `_`, begins with a letter, and is no reserved word",
            );
        }
    }

    fn field(&mut self, at: &str, name: &str, field: &Field) {
        self.name(at, name);
        if let Some(stored) = &field.stored_as {
            self.name(&format!("{at}/stored_as"), stored);
        }
        let numeric = matches!(field.kind, FieldType::Integer | FieldType::Number);
        if !numeric
            && (field.minimum.is_some() || field.maximum.is_some() || field.unit.is_some() || !field.accepts.is_empty())
        {
            self.add(at, "only numbers have units and ranges");
        }
        if field.kind != FieldType::Text && !field.values.is_empty() {
            self.add(&format!("{at}/values"), "only texts have a list of values");
        }
        if let (Some(minimum), Some(maximum)) = (field.minimum, field.maximum)
            && minimum > maximum
        {
            self.add(at, "`minimum` is above `maximum`");
        }
        if field.accepts.values().any(|factor| !factor.is_finite() || *factor == 0.0) {
            self.add(&format!("{at}/accepts"), "a factor is a number other than 0");
        }
        if field.unit.as_ref().is_some_and(|unit| field.accepts.contains_key(unit)) {
            self.add(&format!("{at}/accepts"), "names the stored unit, which has no factor");
        }
        let texts = field.unit.iter().chain(field.accepts.keys());
        if texts.into_iter().any(|unit| unit.is_empty() || unit.len() > 32 || unit.chars().any(char::is_control)) {
            self.add(at, "a unit has 1 to 32 bytes");
        }
        if field.values.len() > 256
            || field.values.iter().any(|value| value.len() > 256 || value.chars().any(char::is_control))
        {
            self.add(&format!("{at}/values"), "at most 256 texts of at most 256 bytes");
        }
    }
}

/// RFC 6901 section 3.
fn escaped(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_original_sensors_are_a_schema() {
        let schema: ReadingSchema = serde_json::from_value(serde_json::json!({
            "ld2410": {"measurement": "ld2410_presence", "fields": {
                "presence": {"type": "boolean", "required": true, "stored_as": "presence_detected"},
                "distance": {"type": "number", "unit": "cm", "minimum": 0, "maximum": 600, "stored_as": "distance_cm"}}},
            "mq134": {"measurement": "mq134_gas", "fields": {
                "gas_concentration": {"type": "number", "unit": "ppm", "accepts": {"ppb": 0.001}, "minimum": 0}}}
        }))
        .unwrap();
        assert_eq!(schema.mistakes(""), []);
        let again: ReadingSchema = serde_json::from_str(&serde_json::to_string(&schema).unwrap()).unwrap();
        assert_eq!(again, schema);
    }

    #[test]
    fn nothing_is_stored_in_the_place_of_something_else() {
        let schema: ReadingSchema = serde_json::from_value(serde_json::json!({
            "gas_a": {"measurement": "gas", "fields": {"x": {"type": "number"}, "y": {"type": "number", "stored_as": "x"}}},
            "gas_b": {"measurement": "gas", "fields": {"x": {"type": "number"}}},
            "gas": {"fields": {"z": {"type": "number"}}}
        }))
        .unwrap();
        let pointers: Vec<String> = schema.mistakes("").into_iter().map(|mistake| mistake.pointer).collect();
        assert_eq!(pointers, ["/gas_a", "/gas_a/fields/y", "/gas_b"]);
    }

    #[test]
    fn every_mistake_is_found() {
        let schema: ReadingSchema = serde_json::from_value(serde_json::json!({
            "a/b": {"fields": {}},
            "env": {"fields": {"c": {"type": "number", "unit": "C", "accepts": {"C": 3, "K": 1}}}},
            "pir": {"fields": {"motion": {"type": "boolean", "unit": "s"}, "x": {"type": "number", "minimum": 2, "maximum": 1}}}
        }))
        .unwrap();
        let pointers: Vec<String> = schema.mistakes("/sensors").into_iter().map(|mistake| mistake.pointer).collect();
        assert_eq!(
            pointers,
            [
                "/sensors/a~1b",
                "/sensors/a~1b/fields",
                "/sensors/env/fields/c/accepts",
                "/sensors/pir/fields/motion",
                "/sensors/pir/fields/x"
            ]
        );
    }
}

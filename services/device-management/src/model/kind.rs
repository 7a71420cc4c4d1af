//! A device type.

use super::text::{is_name, texts_are_plain};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::Detail;
use service::schema::{FieldType, ReadingSchema};
use std::collections::BTreeMap;
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

/// A field of InfluxDB that is there already.
#[derive(Debug)]
pub(crate) struct Column {
    /// Its measurement.
    pub(crate) measurement: String,
    /// Its name.
    pub(crate) field: String,
    /// What it holds.
    pub(crate) kind: FieldType,
    /// The type that said so.
    pub(crate) of: String,
}

/// Fields that would be stored in a column of another kind: InfluxDB keeps the first kind, and would refuse every reading.
pub(crate) fn conflicts(new: &ReadingSchema, present: &[Column]) -> Vec<Detail> {
    let mut columns = BTreeMap::new();
    for column in present {
        columns.entry((column.measurement.as_str(), column.field.as_str())).or_insert((column.kind, &column.of));
    }
    let mut conflicts = Vec::new();
    for (sensor_name, sensor) in &new.0 {
        for (name, field) in &sensor.fields {
            let (measurement, column) = (sensor.measurement(sensor_name), field.column(name));
            let Some((kind, of)) = columns.get(&(measurement, column)) else { continue };
            if *kind != field.kind {
                let detail = format!(
                    "`{column}` of `{measurement}` is {} already, by the type `{of}`: give it another `stored_as`",
                    kind.name()
                );
                conflicts.push(Detail { pointer: format!("/sensors/{sensor_name}/fields/{name}"), detail });
            }
        }
    }
    conflicts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn schema(value: Value) -> ReadingSchema {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_column_has_one_kind_whoever_stores_in_it() {
        let present = [Column {
            measurement: "gas".to_owned(),
            field: "ppm".to_owned(),
            kind: FieldType::Number,
            of: "board".to_owned(),
        }];
        let new = schema(json!({
            "gas": {"fields": {"value": {"type": "integer", "stored_as": "ppm"}, "count": {"type": "integer"}}},
            "mq134": {"fields": {"ppm": {"type": "text"}}}}));
        let found = conflicts(&new, &present);
        assert_eq!(found.iter().map(|one| one.pointer.as_str()).collect::<Vec<_>>(), ["/sensors/gas/fields/value"]);
        assert!(found[0].detail.contains("a number already, by the type `board`"), "{}", found[0].detail);
        let same = schema(json!({"mq134": {"measurement": "gas", "fields": {"ppm": {"type": "number"}}}}));
        assert!(conflicts(&same, &present).is_empty());
    }
}

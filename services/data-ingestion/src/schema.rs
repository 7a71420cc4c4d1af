//! Judging a reading by the schema of its device type. One that passes becomes a [`Reading`]: points with their fields
//! already encoded.

use crate::line;
use crate::payload::{Clock, Raw, Reason, Refusal, Scalar, SensorValues, pointer, shortened};
use crate::reading::{Point, Reading};
use service::schema::{Field, FieldType, ReadingSchema, Sensor};

/// Of whom a reading must be, and which times are believed.
#[derive(Debug, Clone, Copy)]
pub struct Judge<'a> {
    /// The device of the topic or credential.
    pub device: &'a str,
    /// What its type measures.
    pub schema: &'a ReadingSchema,
    /// Which times are believed.
    pub clock: &'a Clock,
    /// Our time, nanoseconds since 1970.
    pub now: i64,
}

impl Judge<'_> {
    /// Judges a reading as it was sent.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn judge(&self, raw: &Raw<'_>) -> Result<Reading, Refusal> {
        self.reading(raw).map_err(|refusal| Refusal { line: raw.line, ..refusal })
    }

    fn reading(&self, raw: &Raw<'_>) -> Result<Reading, Refusal> {
        if let Some(device) = raw.device.as_deref().filter(|device| *device != self.device) {
            let text = format!("the reading says it is from `{}`", shortened(device));
            return Err(Refusal::new(Reason::WrongDevice, text).at("/device_id"));
        }
        numbered(raw)?;
        let time = raw.time.ok_or_else(|| Refusal::new(Reason::Missing, "no `timestamp`").at("/timestamp"))?;
        self.clock.check(time, self.now)?;
        if raw.sensors.is_empty() {
            return Err(Refusal::new(Reason::Missing, "no values of any sensor").at("/sensors"));
        }
        let mut points: Vec<Point> = Vec::with_capacity(raw.sensors.len());
        for values in &raw.sensors {
            let point = self.point(values)?;
            // A sensor by its name and by its measurement's: the second point would take the place of the first.
            if points.iter().any(|known| known.measurement == point.measurement) {
                let text = format!("the measurement of `{}` stands twice", shortened(&values.name));
                return Err(Refusal::new(Reason::DuplicateKey, text).at(pointer(&["sensors", &values.name])));
            }
            points.push(point);
        }
        Ok(Reading {
            device: self.device.into(),
            boot: raw.seq.and(raw.boot.as_deref()).map(Into::into),
            seq: raw.seq.unwrap_or_default(),
            kept_from: raw.kept_from.unwrap_or_default(),
            replay: false,
            time,
            points,
        })
    }

    /// JSON names sensors, line protocol names measurements: both are known.
    fn sensor(&self, name: &str) -> Option<(&str, &Sensor)> {
        if let Some((name, sensor)) = self.schema.0.get_key_value(name) {
            return Some((name, sensor));
        }
        let mut sensors = self.schema.0.iter();
        sensors
            .find(|(_, sensor)| sensor.measurement.as_deref() == Some(name))
            .map(|(name, sensor)| (name.as_str(), sensor))
    }

    fn point(&self, values: &SensorValues<'_>) -> Result<Point, Refusal> {
        let Some((name, sensor)) = self.sensor(&values.name) else {
            let text = format!("the device type has no sensor `{}`", shortened(&values.name));
            return Err(Refusal::new(Reason::UnknownSensor, text).at(pointer(&["sensors", &values.name])));
        };
        let at = |name: &str| pointer(&["sensors", &values.name, name]);
        let unit = unit(sensor, values).map_err(|refusal| refusal.at(at("unit")))?;
        let mut fields = String::with_capacity(48);
        for (name, value) in &values.fields {
            if name == "unit" {
                continue;
            }
            let Some((known, field)) = sensor.fields.get_key_value(&**name) else {
                let text = format!("the sensor has no value `{}`", shortened(name));
                return Err(Refusal::new(Reason::UnknownField, text).at(at(name)));
            };
            encode(field, known, value, unit, &mut fields).map_err(|refusal| refusal.at(at(name)))?;
        }
        let given = |name: &str| values.fields.iter().any(|(given, _)| given == name);
        if let Some((name, _)) = sensor.fields.iter().find(|(name, field)| field.required && !given(name)) {
            return Err(Refusal::new(Reason::Missing, format!("no `{name}`")).at(at(name)));
        }
        if fields.is_empty() {
            return Err(Refusal::new(Reason::Missing, "no values").at(pointer(&["sensors", &values.name])));
        }
        let measurement = sensor.measurement(name);
        Ok(Point { measurement: measurement.into(), fields })
    }
}

/// A number without the start that it counts from would be taken for an earlier one's: acknowledged, and never stored.
fn numbered(raw: &Raw<'_>) -> Result<(), Refusal> {
    let bad = |pointer: &str, text: &str| Err(Refusal::new(Reason::BadSequence, text).at(pointer));
    match (raw.seq, &raw.boot, raw.kept_from) {
        (Some(_), None, _) => {
            bad("/boot", "`seq` without `boot`: it says nothing of which start of the device it counts")
        }
        (Some(seq), _, Some(kept_from)) if kept_from > seq => {
            bad("/kept_from", "`kept_from` is above `seq`, which the device keeps")
        }
        (None, _, Some(_)) => bad("/kept_from", "`kept_from` without `seq`"),
        _ => Ok(()),
    }
}

/// The unit that the reading gives, when a field of the sensor takes it.
fn unit<'a>(sensor: &Sensor, values: &'a SensorValues<'_>) -> Result<Option<&'a str>, Refusal> {
    let Some((_, value)) = values.fields.iter().find(|(name, _)| name == "unit") else { return Ok(None) };
    let Scalar::Text(unit) = value else {
        return Err(Refusal::new(Reason::WrongType, format!("the unit is {}, not text", value.kind())));
    };
    let takes = |field: &Field| field.unit.as_deref() == Some(&**unit) || field.accepts.contains_key(&**unit);
    if sensor.fields.values().any(takes) {
        return Ok(Some(&**unit));
    }
    Err(Refusal::new(Reason::OutOfRange, format!("no value of the sensor is measured in `{}`", shortened(unit))))
}

fn encode(
    field: &Field,
    name: &str,
    value: &Scalar<'_>,
    unit: Option<&str>,
    fields: &mut String,
) -> Result<(), Refusal> {
    let column = field.column(name);
    let factor = unit.and_then(|unit| field.accepts.get(unit)).copied();
    match (field.kind, value) {
        (FieldType::Boolean, Scalar::Bool(value)) => line::boolean(fields, column, *value),
        (FieldType::Integer, Scalar::Integer(value)) if factor.is_none() => {
            within(field, *value as f64)?;
            line::integer(fields, column, *value);
        }
        (FieldType::Integer, Scalar::Integer(_) | Scalar::Number(_)) => {
            let number = number(value) * factor.unwrap_or(1.0);
            // 2^53: beyond it a double skips whole numbers.
            if number.fract() != 0.0 || number.abs() > 9_007_199_254_740_992.0 {
                return Err(Refusal::new(Reason::WrongType, "is no whole number"));
            }
            within(field, number)?;
            line::integer(fields, column, number as i64);
        }
        (FieldType::Number, Scalar::Integer(_) | Scalar::Number(_)) => {
            let number = number(value) * factor.unwrap_or(1.0);
            if !number.is_finite() {
                return Err(Refusal::new(Reason::NotFinite, "a number is too large"));
            }
            within(field, number)?;
            line::number(fields, column, number);
        }
        (FieldType::Text, Scalar::Text(text)) => {
            if !field.values.is_empty() && !field.values.iter().any(|allowed| allowed == text) {
                return Err(Refusal::new(Reason::OutOfRange, format!("is none of {:?}", field.values)));
            }
            if text.contains(['\n', '\r']) {
                return Err(Refusal::new(Reason::WrongType, "text of more than one line"));
            }
            if text.contains('\0') {
                return Err(Refusal::new(Reason::WrongType, "text with a NUL character"));
            }
            line::text(fields, column, text);
        }
        _ => return Err(Refusal::new(Reason::WrongType, format!("is {}, not {}", value.kind(), field.kind.name()))),
    }
    Ok(())
}

fn number(value: &Scalar<'_>) -> f64 {
    match value {
        Scalar::Integer(value) => *value as f64,
        Scalar::Number(value) => *value,
        Scalar::Bool(_) | Scalar::Text(_) => f64::NAN,
    }
}

fn within(field: &Field, number: f64) -> Result<(), Refusal> {
    let (minimum, maximum) = (field.minimum.unwrap_or(f64::NEG_INFINITY), field.maximum.unwrap_or(f64::INFINITY));
    if (minimum..=maximum).contains(&number) {
        return Ok(());
    }
    Err(Refusal::new(Reason::OutOfRange, format!("is {number}, outside {minimum} to {maximum}")))
}

/// The sensors of the original boards (catalog 2.4): LD2410 radar, PIR, MQ134 gas, and the two that its analytics knows.
pub fn original() -> ReadingSchema {
    serde_json::from_str(include_str!("original.json")).expect("a test reads it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{Bounds, array_or_one, lines};
    use rstest::rstest;

    const NOW: i64 = 1_700_000_100_000_000_000;

    fn validate(sensors: &str) -> Result<Reading, Refusal> {
        let payload = format!(r#"{{"timestamp":1700000000,"seq":3,"boot":"b","sensors":{sensors}}}"#);
        let raw = array_or_one(payload.as_bytes(), &Bounds::default()).unwrap().remove(0)?;
        let schema = original();
        assert!(schema.mistakes("").is_empty());
        Judge { device: "esp-1", schema: &schema, clock: &Clock::default(), now: NOW }.judge(&raw)
    }

    #[test]
    fn a_reading_becomes_points() {
        let reading = validate(
            r#"{"ld2410":{"presence":true,"distance":120,"energy":60},"pir":{"motion_detected":false},
                "mq134":{"gas_concentration":1500,"unit":"ppb"}}"#,
        )
        .unwrap();
        let lines: Vec<String> =
            reading.points.iter().map(|point| format!("{} {}", point.measurement, point.fields)).collect();
        assert_eq!(
            lines,
            [
                "ld2410_presence presence_detected=t,distance_cm=120,detection_energy=60",
                "pir_motion motion_detected=f",
                "mq134_gas concentration_ppm=1.5",
            ]
        );
        assert_eq!((reading.seq, reading.boot.as_deref()), (3, Some("b")));
    }

    #[rstest]
    #[case("{}", Reason::Missing, "/sensors")]
    #[case(r#"{"pir":{}}"#, Reason::Missing, "/sensors/pir/motion_detected")]
    #[case(r#"{"lidar":{"a":1}}"#, Reason::UnknownSensor, "/sensors/lidar")]
    #[case(r#"{"a/b~":{"a":1}}"#, Reason::UnknownSensor, "/sensors/a~1b~0")]
    #[case(r#"{"pir":{"colour":1}}"#, Reason::UnknownField, "/sensors/pir/colour")]
    #[case(r#"{"pir":{"motion_detected":1}}"#, Reason::WrongType, "/sensors/pir/motion_detected")]
    #[case(r#"{"ld2410":{"presence":true,"distance":601}}"#, Reason::OutOfRange, "/sensors/ld2410/distance")]
    #[case(r#"{"mq134":{"gas_concentration":-1}}"#, Reason::OutOfRange, "/sensors/mq134/gas_concentration")]
    #[case(r#"{"mq134":{"gas_concentration":1,"unit":"mg"}}"#, Reason::OutOfRange, "/sensors/mq134/unit")]
    #[case(r#"{"mq134":{"gas_concentration":1,"unit":7}}"#, Reason::WrongType, "/sensors/mq134/unit")]
    fn refused(#[case] sensors: &str, #[case] reason: Reason, #[case] pointer: &str) {
        let refusal = validate(sensors).unwrap_err();
        assert_eq!((refusal.reason, refusal.pointer.as_str()), (reason, pointer));
    }

    #[rstest]
    #[case("two\nlines", Some("text of more than one line"))]
    #[case("\r", Some("text of more than one line"))]
    #[case("a\0b", Some("text with a NUL character"))]
    #[case("a\tb", None)]
    fn text_that_line_protocol_cannot_hold(#[case] text: &str, #[case] wrong: Option<&str>) {
        let field: Field = serde_json::from_str(r#"{"type":"text"}"#).unwrap();
        let encoded = encode(&field, "note", &Scalar::Text(text.into()), None, &mut String::new());
        assert_eq!(encoded.err().map(|refusal| refusal.text).as_deref(), wrong);
    }

    #[rstest]
    #[case(r#""seq":3"#, "/boot")]
    #[case(r#""seq":3,"boot":"b","kept_from":4"#, "/kept_from")]
    #[case(r#""kept_from":4"#, "/kept_from")]
    fn numbers_that_claim_what_nobody_can_know(#[case] number: &str, #[case] pointer: &str) {
        let payload = format!(r#"{{"timestamp":1700000000,{number},"sensors":{{"pir":{{"motion_detected":true}}}}}}"#);
        let raw = array_or_one(payload.as_bytes(), &Bounds::default()).unwrap().remove(0).unwrap();
        let schema = original();
        let judge = Judge { device: "esp-1", schema: &schema, clock: &Clock::default(), now: NOW };
        let refusal = judge.judge(&raw).unwrap_err();
        assert_eq!((refusal.reason, refusal.pointer.as_str()), (Reason::BadSequence, pointer));
    }

    #[test]
    fn a_sensor_stands_once_by_whichever_name() {
        let twice = r#"{"mq134":{"gas_concentration":3},"mq134_gas":{"gas_concentration":4}}"#;
        assert_eq!(validate(twice).unwrap_err().reason, Reason::DuplicateKey);
    }

    #[test]
    fn line_protocol_may_name_the_measurement() {
        let raw = lines(b"mq134_gas gas_concentration=3 1700000000", &Bounds::default()).unwrap().remove(0).unwrap();
        let schema = original();
        let reading =
            Judge { device: "esp-1", schema: &schema, clock: &Clock::default(), now: NOW }.judge(&raw).unwrap();
        assert_eq!(reading.points[0].fields, "concentration_ppm=3");
    }
}

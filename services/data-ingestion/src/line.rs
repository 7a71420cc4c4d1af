//! Our line-protocol encoder (InfluxDB 1.6, "Line Protocol Reference"): appends to a buffer, allocates nothing else.

use std::fmt::Write;

/// A boolean field.
pub fn boolean(fields: &mut String, name: &str, value: bool) {
    begin(fields, name);
    fields.push(if value { 't' } else { 'f' });
}

/// A whole number.
pub fn integer(fields: &mut String, name: &str, value: i64) {
    begin(fields, name);
    let _ = write!(fields, "{value}i");
}

/// A float; it must be finite. The shortest text that reads back as the same number.
pub fn number(fields: &mut String, name: &str, value: f64) {
    begin(fields, name);
    let _ = write!(fields, "{value}");
}

/// Text, quoted.
pub fn text(fields: &mut String, name: &str, value: &str) {
    begin(fields, name);
    fields.push('"');
    for char in value.chars() {
        if matches!(char, '"' | '\\') {
            fields.push('\\');
        }
        fields.push(char);
    }
    fields.push('"');
}

fn begin(fields: &mut String, name: &str) {
    if !fields.is_empty() {
        fields.push(',');
    }
    escaped(fields, name);
    fields.push('=');
}

/// A whole line. The device's id needs no escaping: [`service::DeviceId`] allows nothing that would.
pub fn point(lines: &mut String, measurement: &str, device: &str, fields: &str, time: i64) {
    escaped(lines, measurement);
    lines.push_str(",device_id=");
    lines.push_str(device);
    lines.push(' ');
    lines.push_str(fields);
    lines.push(' ');
    decimal(lines, time);
    lines.push('\n');
}

/// A line of [`point`] that also says which number of its device it has, as [`crate::payload::lines`] reads it.
pub fn numbered(line: &str, device: &str, boot: &str, seq: u64) -> String {
    line.replacen(&format!(",device_id={device} "), &format!(",device_id={device},boot={boot},seq={seq} "), 1)
}

/// What a line of [`point`] is of: its measurement as it is written there, and its time.
pub fn place(line: &str) -> (&str, i64) {
    let measurement = line.split_once(",device_id=").map_or(line, |(measurement, _)| measurement);
    let time = line.trim_end().rsplit_once(' ').and_then(|(_, time)| time.parse().ok());
    (measurement, time.unwrap_or_default())
}

fn escaped(text: &mut String, name: &str) {
    if !name.bytes().any(|byte| matches!(byte, b',' | b' ' | b'=')) {
        text.push_str(name);
        return;
    }
    for char in name.chars() {
        if matches!(char, ',' | ' ' | '=') {
            text.push('\\');
        }
        text.push(char);
    }
}

/// Every line ends in a timestamp of 19 digits: without `write!` this is four times as fast.
fn decimal(text: &mut String, number: i64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        text.push('-');
    }
    text.extend(digits[at..].iter().map(|digit| char::from(*digit)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{Bounds, Scalar, lines};
    use proptest::prelude::*;

    #[test]
    fn a_line() {
        let (mut fields, mut line) = (String::new(), String::new());
        boolean(&mut fields, "presence", true);
        integer(&mut fields, "count", -3);
        number(&mut fields, "my field", 1.5);
        text(&mut fields, "note", "a \"b\" \\");
        point(&mut line, "room, north", "esp-1", &fields, 1_700_000_000_000_000_001);
        assert_eq!(
            line,
            "room\\,\\ north,device_id=esp-1 presence=t,count=-3i,my\\ field=1.5,note=\"a \\\"b\\\" \\\\\" 1700000000000000001\n"
        );
    }

    #[test]
    fn a_line_with_its_number_comes_back() {
        let mut line = String::new();
        point(&mut line, "pir_motion", "esp-1", "motion_detected=t", 1_700_000_000_000_000_001);
        assert_eq!(place(&line), ("pir_motion", 1_700_000_000_000_000_001));
        let line = numbered(&line, "esp-1", "b.1", 7);
        let raw = lines(line.as_bytes(), &Bounds::default()).unwrap().remove(0).unwrap();
        assert_eq!((raw.device.as_deref(), raw.boot.as_deref(), raw.seq), (Some("esp-1"), Some("b.1"), Some(7)));
        assert_eq!(raw.time, Some(1_700_000_000_000_000_001));
    }

    proptest! {
        #[test]
        fn numbers_come_back(value in any::<f64>().prop_filter("finite", |value| value.is_finite()), time in any::<i64>()) {
            let (mut fields, mut line) = (String::new(), String::new());
            number(&mut fields, "v", value);
            point(&mut line, "m", "esp-1", &fields, time);
            let read = lines(line.as_bytes(), &Bounds::default());
            let read = read.unwrap().remove(0);
            if let Ok(raw) = read {
                prop_assert_eq!(&raw.sensors[0].fields[0].1, &Scalar::Number(value));
            }
            let ending = format!(" {time}\n");
            prop_assert!(line.ends_with(&ending));
        }

        #[test]
        fn text_comes_back(value in "[^\\n\\r\\x00]{0,60}") {
            let (mut fields, mut line) = (String::new(), String::new());
            text(&mut fields, "v", &value);
            point(&mut line, "m", "esp-1", &fields, 1_700_000_000);
            let raw = lines(line.as_bytes(), &Bounds { text_bytes: 4096, ..Bounds::default() }).unwrap().remove(0).unwrap();
            prop_assert_eq!(&raw.sensors[0].fields[0].1, &Scalar::Text(value.into()));
        }
    }
}

//! From payloads to a block of the stream: the same judgement for all ways in.

use crate::devices::{Device, Devices, Unavailable};
use crate::line;
use crate::payload::{Bounds, Clock, Raw, Reason, Refusal, Scalar, array_or_one, lines, one_sensor};
use crate::reading::{Block, Point, Reading};
use crate::schema::Judge;
use crate::stream::{Append, DeadLetter, Error, Stream};
use service::DeviceId;
use std::sync::Arc;

/// How a payload is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format<'a> {
    /// A JSON reading or an array of them.
    Json,
    /// An array of JSON readings.
    Array,
    /// JSON values of this sensor.
    Sensor(&'a str),
    /// InfluxDB line protocol.
    Lines,
    /// Line protocol that we wrote ourselves, with names as they are stored.
    Stored,
}

impl<'a> Format<'a> {
    /// By the last level of a topic.
    pub fn of_topic(last: &'a str) -> Self {
        match last {
            "data" => Format::Json,
            "line" => Format::Lines,
            sensor => Format::Sensor(sensor),
        }
    }
}

/// What became of one reading.
#[derive(Debug)]
pub struct Judged {
    /// Its line, where the payload has lines.
    pub line: Option<usize>,
    /// Its number and boot, where it has them.
    pub number: Option<(Box<str>, u64)>,
    /// Its time, or why it was refused.
    pub verdict: Result<i64, Refusal>,
}

/// The judgement, shared by all ways in.
#[derive(Clone)]
pub struct Intake {
    /// The stream.
    pub stream: Stream,
    /// Who may send.
    pub devices: Arc<dyn Devices>,
    /// What a payload may cost.
    pub bounds: Bounds,
    /// Which times are believed.
    pub clock: Clock,
}

impl std::fmt::Debug for Intake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Intake")
    }
}

impl Intake {
    /// The device, if it may send.
    ///
    /// # Errors
    /// Outside: nobody knows now. Inside: it may not.
    pub async fn device(&self, id: &str) -> Result<Result<Arc<Device>, Refusal>, Unavailable> {
        match self.recall(id) {
            Some(device) => Ok(device),
            None => Ok(allowed(self.devices.find(id).await?)),
        }
    }

    /// The same, if it is known without asking anybody.
    pub fn recall(&self, id: &str) -> Option<Result<Arc<Device>, Refusal>> {
        if !DeviceId::is_valid(id) {
            return Some(Err(Refusal::new(Reason::BadTopic, "the device's id is none")));
        }
        self.devices.recall(id).map(allowed)
    }

    /// Judges all readings of a payload and adds them to the block, also the numbers of those that are refused: the block must
    /// be stored whatever comes back.
    ///
    /// # Errors
    /// The payload as a whole is refused.
    pub fn judge(
        &self,
        id: &str,
        device: &Device,
        payload: &[u8],
        format: Format<'_>,
        block: &mut Block,
    ) -> Result<Vec<Judged>, Refusal> {
        let now = now();
        device.heard(now);
        let judge = Judge { device: id, schema: &device.schema, clock: &self.clock, now };
        let raws = self.read(payload, format).inspect_err(|refusal| {
            settle(&judge, refusal, block);
        })?;
        Ok(raws.into_iter().map(|raw| one(&judge, raw, block)).collect())
    }

    fn read<'a>(&self, payload: &'a [u8], format: Format<'a>) -> Result<Vec<Result<Raw<'a>, Refusal>>, Refusal> {
        match format {
            Format::Json => array_or_one(payload, &self.bounds),
            Format::Array => {
                let readings = array_or_one(payload, &self.bounds)?;
                match payload.trim_ascii_start().first() {
                    Some(b'[') => Ok(readings),
                    _ => Err(Refusal::new(Reason::Malformed, "not an array of readings")),
                }
            }
            Format::Sensor(sensor) => Ok(vec![one_sensor(payload, sensor, &self.bounds)]),
            Format::Lines | Format::Stored => lines(payload, &self.bounds),
        }
    }

    /// Judges again, now by hand, what was refused once; what else the payload has was taken then. Readings keep their numbers,
    /// and so their places: one that its device has repeated meanwhile, or that is replayed twice, is stored once.
    ///
    /// # Errors
    /// It is still wrong.
    pub fn replay(
        &self,
        id: &str,
        device: &Device,
        letter: &DeadLetter,
        format: Format<'_>,
        block: &mut Block,
    ) -> Result<usize, Refusal> {
        let judge = Judge { device: id, schema: &device.schema, clock: &self.clock, now: now() };
        let mut readings = Vec::new();
        for (at, raw) in self.read(letter.payload.as_bytes(), format)?.into_iter().enumerate() {
            if !letter.only.is_empty() && !letter.only.contains(&at) {
                continue;
            }
            let mut reading = match format {
                Format::Stored => stored(id, &raw?)?,
                _ => judge.judge(&raw?)?,
            };
            reading.replay = letter.is_settled();
            // Long since, and of what it keeps now it says nothing.
            reading.kept_from = 0;
            readings.push(reading);
        }
        readings.iter().for_each(|reading| block.push(reading));
        Ok(readings.len())
    }

    /// Adds the block to the stream; returns when it is on the disk.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn append(&self, block: &Block, letters: &[DeadLetter]) -> Result<Append, Error> {
        if block.is_empty() && letters.is_empty() {
            return Ok(Append::Stored);
        }
        let appended = self.stream.append(block, letters).await?;
        metrics::gauge!("ingestion_backpressure").set(if appended == Append::Full { 1.0 } else { 0.0 });
        if appended == Append::Stored {
            metrics::counter!("ingestion_readings_accepted_total").increment(block.len() as u64);
        }
        Ok(appended)
    }
}

fn allowed(found: Option<Arc<Device>>) -> Result<Arc<Device>, Refusal> {
    match found {
        None => Err(Refusal::new(Reason::UnknownDevice, "no such device")),
        Some(device) if !device.active => Err(Refusal::new(Reason::InactiveDevice, "the device may not send now")),
        Some(device) => Ok(device),
    }
}

fn one(judge: &Judge<'_>, raw: Result<Raw<'_>, Refusal>, block: &mut Block) -> Judged {
    let raw = match raw {
        Ok(raw) => raw,
        Err(refusal) => {
            count(&refusal);
            return Judged { line: refusal.line, number: settle(judge, &refusal, block), verdict: Err(refusal) };
        }
    };
    let number = raw.boot.as_deref().zip(raw.seq);
    let verdict = judge.judge(&raw).map(|reading| {
        block.push(&reading);
        reading.time
    });
    if let Err(refusal) = &verdict {
        count(refusal);
        // Not another device's numbers.
        if let (Some((boot, seq)), true) = (number, refusal.reason != Reason::WrongDevice) {
            let kept_from = raw.kept_from.filter(|kept_from| *kept_from <= seq).unwrap_or_default();
            block.push_refused(judge.device, boot, seq, kept_from, refusal.reason.word());
        }
    }
    Judged { line: raw.line, number: number.map(|(boot, seq)| (boot.into(), seq)), verdict }
}

/// Settles the number of what could not be read, unless it is another device's.
fn settle(judge: &Judge<'_>, refusal: &Refusal, block: &mut Block) -> Option<(Box<str>, u64)> {
    let number = refusal.number.as_ref()?;
    if number.device.as_deref().is_some_and(|device| device != judge.device) {
        return None;
    }
    block.push_refused(judge.device, &number.boot, number.seq, 0, refusal.reason.word());
    Some((number.boot.clone(), number.seq))
}

/// A point of our own lines, as it is.
fn stored(id: &str, raw: &Raw<'_>) -> Result<Reading, Refusal> {
    let time = raw.time.ok_or_else(|| Refusal::new(Reason::Missing, "no timestamp"))?;
    let mut points = Vec::with_capacity(raw.sensors.len());
    for sensor in &raw.sensors {
        let mut fields = String::new();
        for (name, value) in &sensor.fields {
            match value {
                Scalar::Bool(value) => line::boolean(&mut fields, name, *value),
                Scalar::Integer(value) => line::integer(&mut fields, name, *value),
                Scalar::Number(value) => line::number(&mut fields, name, *value),
                Scalar::Text(value) => line::text(&mut fields, name, value),
            }
        }
        points.push(Point { measurement: (&*sensor.name).into(), fields });
    }
    let (boot, seq) = raw.boot.as_deref().zip(raw.seq).unzip();
    Ok(Reading {
        device: id.into(),
        boot: boot.map(Into::into),
        seq: seq.unwrap_or_default(),
        kept_from: 0,
        replay: false,
        time,
        points,
    })
}

/// Counts a refusal.
pub fn count(refusal: &Refusal) {
    metrics::counter!("ingestion_refused_total", "reason" => refusal.reason.word()).increment(1);
}

/// Nanoseconds since 1970.
pub fn now() -> i64 {
    i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading;
    use crate::schema::original;
    use rstest::rstest;

    fn settled(payload: &str, format: Format<'_>) -> Vec<(u64, String)> {
        let (schema, clock) = (original(), Clock::default());
        let judge = Judge { device: "esp-1", schema: &schema, clock: &clock, now: now() };
        let mut block = Block::default();
        let bounds = Bounds::default();
        let raws = match format {
            Format::Sensor(sensor) => vec![crate::payload::one_sensor(payload.as_bytes(), sensor, &bounds)],
            Format::Lines => lines(payload.as_bytes(), &bounds).unwrap(),
            _ => array_or_one(payload.as_bytes(), &bounds).unwrap(),
        };
        raws.into_iter().for_each(|raw| assert!(one(&judge, raw, &mut block).verdict.is_err(), "{payload}"));
        let stored = if block.is_empty() { Vec::new() } else { reading::read(block.bytes()).unwrap() };
        stored.iter().map(|reading| (reading.seq, reading.refused.to_owned())).collect()
    }

    /// Whatever is wrong with a numbered reading, its number is settled: or the device's receipts would stand still for ever.
    #[rstest]
    #[case(r#"{"seq":7,"boot":"b","timestamp":1700000000,"sensors":{"pir":{"motion_detected":NaN}}}"#, Format::Json)]
    #[case(r#"{"seq":7,"boot":"b","timestamp":1700000000,"sensors":{"pir":{"motion_detected":null}}}"#, Format::Json)]
    #[case(r#"{"seq":7,"boot":"b","timestamp":"soon","sensors":{"pir":{"motion_detected":true}}}"#, Format::Json)]
    #[case(r#"{"seq":7,"boot":"b","timestamp":0,"sensors":{"pir":{"motion_detected":true}}}"#, Format::Json)]
    #[case(r#"{"seq":7,"boot":"b","sensors":{"pir":{"motion_detected":[[1]]}}}"#, Format::Json)]
    #[case(r#"{"seq":7,"boot":"b","colour":"red"}"#, Format::Json)]
    #[case(
        r#"{"seq":7,"boot":"b","kept_from":8,"timestamp":1700000000,"sensors":{"pir":{"motion_detected":true}}}"#,
        Format::Json
    )]
    #[case(r#"{"seq":7,"boot":"b","timestamp":1700000000,"motion_detected":nan}"#, Format::Sensor("pir"))]
    #[case("pir,seq=7,boot=b motion_detected=NaN 1700000000", Format::Lines)]
    fn a_refused_reading_settles_its_number(#[case] payload: &str, #[case] format: Format<'_>) {
        let settled = settled(payload, format);
        assert_eq!(settled.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [7], "{payload}");
    }

    #[rstest]
    #[case(
        r#"{"device_id":"esp-2","seq":7,"boot":"b","timestamp":1700000000,"sensors":{"pir":{"motion_detected":true}}}"#
    )]
    #[case(r#"{"device_id":"esp-2","seq":7,"boot":"b","sensors":{"pir":{"motion_detected":NaN}}}"#)]
    #[case(r#"{"seq":7,"timestamp":1700000000,"sensors":{"pir":{"motion_detected":true}}}"#)]
    fn but_never_another_ones(#[case] payload: &str) {
        assert_eq!(settled(payload, Format::Json), []);
    }
}

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
        if !DeviceId::is_valid(id) {
            return Ok(Err(Refusal::new(Reason::BadTopic, "the device's id is none")));
        }
        Ok(match self.devices.find(id).await? {
            None => Err(Refusal::new(Reason::UnknownDevice, "no such device")),
            Some(device) if !device.active => Err(Refusal::new(Reason::InactiveDevice, "the device may not send now")),
            Some(device) => Ok(device),
        })
    }

    /// Judges all readings of a payload and adds them to the block, also the numbers of those that are refused.
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
        let raws = self.read(payload, format)?;
        let judge = Judge { device: id, schema: &device.schema, clock: &self.clock, now };
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

    /// Judges a payload that was refused once, now by hand: what is right with it goes into the block without its number,
    /// which is settled long since, but under a mark of its own so that it takes a free time.
    ///
    /// # Errors
    /// It is still wrong.
    pub fn replay(
        &self,
        id: &str,
        device: &Device,
        payload: &[u8],
        format: Format<'_>,
        mark: &str,
        block: &mut Block,
    ) -> Result<usize, Refusal> {
        let judge = Judge { device: id, schema: &device.schema, clock: &self.clock, now: now() };
        let readings = match format {
            Format::Stored => stored(id, lines(payload, &self.bounds)?)?,
            _ => self
                .read(payload, format)?
                .into_iter()
                .map(|raw| judge.judge(&raw?))
                .collect::<Result<Vec<Reading>, Refusal>>()?,
        };
        for (number, mut reading) in readings.into_iter().enumerate() {
            reading.boot = Some(format!("~{mark}").into());
            reading.seq = number as u64 + 1;
            block.push(&reading);
        }
        Ok(block.len())
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

fn one(judge: &Judge<'_>, raw: Result<Raw<'_>, Refusal>, block: &mut Block) -> Judged {
    let raw = match raw {
        Ok(raw) => raw,
        Err(refusal) => {
            count(&refusal);
            return Judged { number: None, verdict: Err(refusal) };
        }
    };
    let boot = || raw.boot.as_deref().unwrap_or("0");
    let number = raw.seq.map(|seq| (boot().into(), seq));
    let verdict = judge.judge(&raw).map(|reading| {
        block.push(&reading);
        reading.time
    });
    if let Err(refusal) = &verdict {
        count(refusal);
        // Not another device's numbers.
        if let (Some(seq), true) = (raw.seq, refusal.reason != Reason::WrongDevice) {
            block.push_refused(judge.device, boot(), seq, refusal.reason.word());
        }
    }
    Judged { number, verdict }
}

/// Points of our own lines, as they are.
fn stored(id: &str, raws: Vec<Result<Raw<'_>, Refusal>>) -> Result<Vec<Reading>, Refusal> {
    let mut readings = Vec::with_capacity(raws.len());
    for raw in raws {
        let raw = raw?;
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
        readings.push(Reading { device: id.into(), boot: None, seq: 0, time, points });
    }
    Ok(readings)
}

/// Counts a refusal.
pub fn count(refusal: &Refusal) {
    metrics::counter!("ingestion_refused_total", "reason" => refusal.reason.word()).increment(1);
}

/// Nanoseconds since 1970.
pub fn now() -> i64 {
    i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
}

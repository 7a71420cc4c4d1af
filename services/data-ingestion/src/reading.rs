//! A reading that was accepted, and the block of readings that makes one entry of the stream.
//!
//! Many readings share an entry: Redis' work and ours is per entry, and one `fsync` then covers all of them.

use std::sync::Arc;

/// A reading that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Whose it is.
    pub device: Arc<str>,
    /// Since which start the device counts; set when `seq` is.
    pub boot: Option<Box<str>>,
    /// The device's number of it; 0 for none.
    pub seq: u64,
    /// The lowest number of this start that the device still keeps; 0 when it does not say.
    pub kept_from: u64,
    /// Whether an operator tries it again: that its number is settled is no reason to pass it over then.
    pub replay: bool,
    /// Nanoseconds since 1970.
    pub time: i64,
    /// One per sensor.
    pub points: Vec<Point>,
}

/// The values of one sensor, encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// The measurement.
    pub measurement: Arc<str>,
    /// The field set in line protocol.
    pub fields: String,
}

/// What an entry of the stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stored<'a> {
    /// Whose it is.
    pub device: &'a str,
    /// Since which start the device counts; empty for none.
    pub boot: &'a str,
    /// The device's number of it; 0 for none.
    pub seq: u64,
    /// The lowest number of this start that the device still keeps; 0 when it did not say.
    pub kept_from: u64,
    /// Whether an operator tried it again.
    pub replay: bool,
    /// Nanoseconds since 1970.
    pub time: i64,
    /// Why it was refused: it has no points then, but its number is settled.
    pub refused: &'a str,
    /// The points, encoded; read by [`Stored::points`].
    pub(crate) points: &'a [u8],
}

/// The first byte of a block; another one is another version's.
const VERSION: u8 = 2;
/// The version before had no flags.
const WITHOUT_FLAGS: u8 = 1;

/// Flags of a reading.
const REPLAY: u8 = 1;
const KEPT_FROM: u8 = 2;

/// A block under construction.
#[derive(Debug, Default)]
pub struct Block {
    bytes: Vec<u8>,
    readings: usize,
}

impl Block {
    /// Adds a reading.
    pub fn push(&mut self, reading: &Reading) {
        self.head(&Stored {
            device: &reading.device,
            boot: reading.boot.as_deref().unwrap_or_default(),
            seq: reading.seq,
            kept_from: reading.kept_from,
            replay: reading.replay,
            time: reading.time,
            ..Stored::default()
        });
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        for point in &reading.points {
            self.short(&point.measurement);
            self.bytes.extend_from_slice(&(point.fields.len() as u32).to_le_bytes());
            self.bytes.extend_from_slice(point.fields.as_bytes());
        }
        let length = (self.bytes.len() - at - 4) as u32;
        self.bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
    }

    /// Adds the number of a reading that was refused, so that the device's row of numbers has no hole.
    pub fn push_refused(&mut self, device: &str, boot: &str, seq: u64, kept_from: u64, refused: &str) {
        self.head(&Stored { device, boot, seq, kept_from, refused, ..Stored::default() });
        self.bytes.extend_from_slice(&[0; 4]);
    }

    fn head(&mut self, reading: &Stored<'_>) {
        if self.bytes.is_empty() {
            self.bytes.push(VERSION);
        }
        self.readings += 1;
        self.short(reading.device);
        self.short(reading.boot);
        self.bytes.extend_from_slice(&reading.seq.to_le_bytes());
        self.bytes.extend_from_slice(&reading.time.to_le_bytes());
        let keeps = reading.kept_from > 0;
        self.bytes.push(u8::from(reading.replay) * REPLAY + u8::from(keeps) * KEPT_FROM);
        if keeps {
            self.bytes.extend_from_slice(&reading.kept_from.to_le_bytes());
        }
        self.short(reading.refused);
    }

    /// Names are bounded where they enter: devices to 64 bytes, boots to 32, measurements by the schema to 255.
    fn short(&mut self, text: &str) {
        let text = &text.as_bytes()[..text.len().min(255)];
        self.bytes.push(text.len() as u8);
        self.bytes.extend_from_slice(text);
    }

    /// How many readings it has.
    pub fn len(&self) -> usize {
        self.readings
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.readings == 0
    }

    /// What goes into the stream.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why a block cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Another version of this service wrote it, and can read it.
    #[error("another version of data-ingestion wrote it")]
    OtherVersion,
    /// It is damaged.
    #[error("it is damaged")]
    Damaged,
}

/// The readings of a block.
///
/// # Errors
/// [`Unreadable`].
pub fn read(block: &[u8]) -> Result<Vec<Stored<'_>>, Unreadable> {
    let (has_flags, mut rest) = match block.split_first() {
        Some((&VERSION, rest)) => (true, rest),
        Some((&WITHOUT_FLAGS, rest)) => (false, rest),
        Some(_) => return Err(Unreadable::OtherVersion),
        None => return Err(Unreadable::Damaged),
    };
    let mut readings = Vec::new();
    while !rest.is_empty() {
        let device = take_short(&mut rest)?;
        let boot = take_short(&mut rest)?;
        let seq = u64::from_le_bytes(take_array(&mut rest)?);
        let time = i64::from_le_bytes(take_array(&mut rest)?);
        let [flags] = if has_flags { take_array(&mut rest)? } else { [0] };
        if flags & !(REPLAY | KEPT_FROM) != 0 {
            return Err(Unreadable::OtherVersion);
        }
        let kept_from = if flags & KEPT_FROM != 0 { u64::from_le_bytes(take_array(&mut rest)?) } else { 0 };
        let refused = take_short(&mut rest)?;
        let length = u32::from_le_bytes(take_array(&mut rest)?) as usize;
        let points = take(&mut rest, length)?;
        let replay = flags & REPLAY != 0;
        readings.push(Stored { device, boot, seq, kept_from, replay, time, refused, points });
    }
    Ok(readings)
}

impl<'a> Stored<'a> {
    /// Measurement and field set of each point.
    pub fn points(&self) -> Result<Vec<(&'a str, &'a str)>, Unreadable> {
        let mut rest = self.points;
        let mut points = Vec::with_capacity(4);
        while !rest.is_empty() {
            let measurement = take_short(&mut rest)?;
            let length = u32::from_le_bytes(take_array(&mut rest)?) as usize;
            let fields = std::str::from_utf8(take(&mut rest, length)?).map_err(|_| Unreadable::Damaged)?;
            points.push((measurement, fields));
        }
        Ok(points)
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Unreadable> {
    let (taken, left) = rest.split_at_checked(length).ok_or(Unreadable::Damaged)?;
    *rest = left;
    Ok(taken)
}

fn take_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Unreadable> {
    let (taken, left) = rest.split_first_chunk::<N>().ok_or(Unreadable::Damaged)?;
    *rest = left;
    Ok(*taken)
}

fn take_short<'a>(rest: &mut &'a [u8]) -> Result<&'a str, Unreadable> {
    let [length] = take_array(rest)?;
    std::str::from_utf8(take(rest, length as usize)?).map_err(|_| Unreadable::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_block_comes_back() {
        let point =
            |measurement: &str, fields: &str| Point { measurement: measurement.into(), fields: fields.to_owned() };
        let points = vec![point("pir_motion", "motion_detected=t"), point("mq134_gas", "concentration_ppm=3")];
        let reading = Reading {
            device: "esp-1".into(),
            boot: Some("b".into()),
            seq: 7,
            kept_from: 3,
            replay: true,
            time: -5,
            points,
        };
        let mut block = Block::default();
        block.push(&reading);
        block.push_refused("esp-1", "b", 8, 0, "too_old");
        let stored = read(block.bytes()).unwrap();
        assert_eq!((stored[0].device, stored[0].boot, stored[0].seq, stored[0].time), ("esp-1", "b", 7, -5));
        assert_eq!((stored[0].kept_from, stored[0].replay), (3, true));
        assert_eq!(
            stored[0].points().unwrap(),
            [("pir_motion", "motion_detected=t"), ("mq134_gas", "concentration_ppm=3")]
        );
        assert_eq!((stored[1].seq, stored[1].kept_from, stored[1].refused), (8, 0, "too_old"));
        assert!(stored[1].points().unwrap().is_empty());
    }

    #[test]
    fn a_block_that_waits_since_before_an_upgrade_is_read() {
        let mut block = vec![WITHOUT_FLAGS];
        for text in ["esp-1", "b"] {
            block.push(text.len() as u8);
            block.extend_from_slice(text.as_bytes());
        }
        block.extend_from_slice(&7u64.to_le_bytes());
        block.extend_from_slice(&5i64.to_le_bytes());
        block.extend_from_slice(&[0; 5]);
        let stored = read(&block).unwrap();
        assert_eq!((stored[0].device, stored[0].seq, stored[0].time, stored[0].replay), ("esp-1", 7, 5, false));
    }

    proptest! {
        #[test]
        fn damage_never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            if let Some(first) = bytes.first_mut() { *first = VERSION; }
            if let Ok(readings) = read(&bytes) {
                for reading in readings { let _ = reading.points(); }
            }
        }
    }
}

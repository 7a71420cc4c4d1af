//! The ledger: what has a receipt. A line of JSON about the run, then 16 bytes a reading: device, number, time.

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

/// About the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The devices' ids, by number.
    pub devices: Vec<String>,
    /// The boot that all of them count from.
    pub boot: String,
    /// No reading is older, in nanoseconds since 1970.
    pub since: i64,
}

/// A reading that has a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The device's number.
    pub device: u32,
    /// The reading's number.
    pub seq: u32,
    /// Its time as it was sent.
    pub time: i64,
}

/// A ledger that is written.
#[derive(Debug)]
pub struct Ledger {
    file: BufWriter<File>,
    entries: u64,
}

impl Ledger {
    /// Begins one.
    pub fn create(path: &Path, head: &Head) -> Result<Self> {
        let mut file = BufWriter::new(File::create(path).with_context(|| format!("the ledger {}", path.display()))?);
        serde_json::to_writer(&mut file, head)?;
        file.write_all(b"\n")?;
        Ok(Self { file, entries: 0 })
    }

    /// Adds readings.
    pub fn add(&mut self, entries: &[Entry]) -> Result<()> {
        for entry in entries {
            self.file.write_all(&entry.device.to_le_bytes())?;
            self.file.write_all(&entry.seq.to_le_bytes())?;
            self.file.write_all(&entry.time.to_le_bytes())?;
        }
        self.entries += entries.len() as u64;
        Ok(())
    }

    /// Brings it to the disk; how many readings it has.
    pub fn finish(mut self) -> Result<u64> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        Ok(self.entries)
    }
}

/// Reads one: per device its numbers with their times.
pub fn read(path: &Path) -> Result<(Head, BTreeMap<u32, Vec<Entry>>)> {
    let mut file = BufReader::new(File::open(path).with_context(|| format!("the ledger {}", path.display()))?);
    let mut line = String::new();
    file.read_line(&mut line)?;
    let head: Head = serde_json::from_str(&line)?;
    let mut rest = Vec::new();
    file.read_to_end(&mut rest)?;
    let (records, torn) = rest.as_chunks::<16>();
    ensure!(torn.is_empty(), "the ledger ends in the middle of an entry");
    let mut devices: BTreeMap<u32, Vec<Entry>> = BTreeMap::new();
    for record in records {
        let (device, rest) = record.split_at(4);
        let (seq, time) = rest.split_at(4);
        let entry = Entry {
            device: u32::from_le_bytes(device.try_into()?),
            seq: u32::from_le_bytes(seq.try_into()?),
            time: i64::from_le_bytes(time.try_into()?),
        };
        devices.entry(entry.device).or_default().push(entry);
    }
    Ok((head, devices))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back() {
        let directory = std::env::temp_dir().join(format!("iot-sim-ledger-{}", std::process::id()));
        let head = Head { devices: vec!["sim-0".to_owned(), "sim-1".to_owned()], boot: "b".to_owned(), since: 5 };
        let mut ledger = Ledger::create(&directory, &head).unwrap();
        let entry = |device, seq, time| Entry { device, seq, time };
        ledger.add(&[entry(1, 7, i64::MAX), entry(0, 1, 2)]).unwrap();
        assert_eq!(ledger.finish().unwrap(), 2);
        let (read_head, devices) = read(&directory).unwrap();
        std::fs::remove_file(&directory).unwrap();
        assert_eq!(read_head, head);
        assert_eq!(devices[&1], [entry(1, 7, i64::MAX)]);
    }
}

//! The ledger: what has a receipt. A line of JSON about the run, then 16 bytes a reading: device, number, time.

use crate::boot::Boot;
use crate::hint::Hint;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

/// About the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The devices' ids, by number.
    pub devices: Vec<String>,
    /// The boot that all of them count from.
    pub boot: Boot,
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
    let file = File::open(path).with_context(|| format!("the ledger {}", path.display()));
    let file = file.hint("`--ledger` is the file that `iot-sim run --ledger` wrote")?;
    parse(BufReader::new(file))
        .with_context(|| format!("{} is no ledger", path.display()))
        .hint("name the file that `iot-sim run --ledger` of this version wrote")
}

fn parse(mut file: impl BufRead) -> Result<(Head, BTreeMap<u32, Vec<Entry>>)> {
    let mut line = Vec::new();
    file.read_until(b'\n', &mut line)?;
    let head: Head = serde_json::from_slice(&line).context("its first line is not about a run")?;
    let mut rest = Vec::new();
    file.read_to_end(&mut rest)?;
    let (records, torn) = rest.as_chunks::<16>();
    ensure!(torn.is_empty(), "it ends in the middle of an entry");
    let mut devices: BTreeMap<u32, Vec<Entry>> = BTreeMap::new();
    for record in records {
        let (device, rest) = record.split_at(4);
        let (seq, time) = rest.split_at(4);
        let entry = Entry {
            device: u32::from_le_bytes(device.try_into()?),
            seq: u32::from_le_bytes(seq.try_into()?),
            time: i64::from_le_bytes(time.try_into()?),
        };
        ensure!(
            (entry.device as usize) < head.devices.len(),
            "an entry is of a device that its first line does not name"
        );
        devices.entry(entry.device).or_default().push(entry);
    }
    Ok((head, devices))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "{\"devices\":[\"sim-0\"],\"boot\":2170000000}\n";

    #[tokio::test]
    async fn it_comes_back() {
        let path = std::env::temp_dir().join(format!("iot-sim-ledger-{}", std::process::id()));
        let devices = vec!["sim-0".to_owned(), "sim-1".to_owned()];
        let head = Head { devices, boot: Boot::begin().await.unwrap() };
        let mut ledger = Ledger::create(&path, &head).unwrap();
        let entry = |device, seq, time| Entry { device, seq, time };
        ledger.add(&[entry(1, 7, i64::MAX), entry(0, 1, 2)]).unwrap();
        assert_eq!(ledger.finish().unwrap(), 2);
        let (read_head, devices) = read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read_head, head);
        assert_eq!(devices[&1], [entry(1, 7, i64::MAX)]);
    }

    #[test]
    fn a_file_that_is_no_ledger_is_named() {
        let path = std::env::temp_dir().join(format!("iot-sim-no-ledger-{}", std::process::id()));
        std::fs::write(&path, "sim-0 key\n").unwrap();
        let error = read(&path).unwrap_err().to_string();
        std::fs::remove_file(&path).unwrap();
        let begin = format!("{} is no ledger: its first line is not about a run: ", path.display());
        assert!(error.starts_with(&begin), "{error}");
        assert!(error.contains("\nhint: name the file that"), "{error}");
        let error = read(&path).unwrap_err().to_string();
        assert!(error.starts_with(&format!("the ledger {}: No such file", path.display())), "{error}");
        assert!(error.contains("\nhint: "), "{error}");
    }

    #[test]
    fn what_is_damaged_is_no_ledger() {
        let of_nobody = [HEAD.as_bytes(), &[1; 16]].concat();
        let torn = [HEAD.as_bytes(), &[0; 15]].concat();
        for bytes in [&b""[..], b"\xff\xfe\n", b"{}\n", &of_nobody, &torn] {
            assert!(parse(bytes).is_err(), "{bytes:?}");
        }
        assert!(parse(HEAD.as_bytes()).is_ok());
    }
}

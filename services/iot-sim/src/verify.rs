//! Is the ledger what InfluxDB holds? Every reading with a receipt must be there once, in each of its measurements, with its
//! values, at its time or a nanosecond further on; and nothing else may be there.

use crate::cli::Verify;
use crate::ledger::{self, Entry};
use anyhow::{Context, Result, ensure};
use reqwest::Client;
use serde::Serialize;
use std::collections::HashMap;
use std::time::Duration;

/// How far a reading may be moved since others of its device stood at its time.
const MOVED: i64 = 64;

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Found {
    /// Whether the ledger equals InfluxDB.
    pub equal: bool,
    /// Readings in the ledger.
    pub ledger: u64,
    /// Readings in InfluxDB that are in the ledger too.
    pub found: u64,
    /// With a receipt, but not in InfluxDB: lost.
    pub missing: u64,
    /// In InfluxDB more than once.
    pub twice: u64,
    /// In InfluxDB, but without receipt.
    pub without_receipt: u64,
    /// In InfluxDB at another time or with other values.
    pub wrong: u64,
    /// Points of the other measurements that do not go with the readings.
    pub unpaired: u64,
    /// Some of what is not right.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
}

impl Found {
    fn example(&mut self, text: String) {
        if self.examples.len() < 10 {
            self.examples.push(text);
        }
    }
}

/// Compares.
pub async fn verify(options: &Verify) -> Result<Found> {
    let (head, mut devices) = ledger::read(&options.ledger)?;
    let client = Client::builder().timeout(Duration::from_secs(120)).build()?;
    let mut found = Found::default();
    for (number, id) in head.devices.iter().enumerate() {
        let entries = devices.remove(&(number as u32)).unwrap_or_default();
        let filter = format!("WHERE device_id = '{id}' AND time >= {}", head.since);
        let gas = query(&client, options, &format!("SELECT concentration_ppm FROM mq134_gas {filter}")).await?;
        let fields = "distance_cm, presence_detected, detection_energy";
        let radar = query(&client, options, &format!("SELECT {fields} FROM ld2410_presence {filter}")).await?;
        let motion = query(&client, options, &format!("SELECT motion_detected FROM pir_motion {filter}")).await?;
        device(&mut found, id, &entries, &gas, &radar, &motion);
    }
    found.equal = found.missing + found.twice + found.without_receipt + found.wrong + found.unpaired == 0;
    Ok(found)
}

type Points = Vec<(i64, String)>;

fn device(found: &mut Found, id: &str, entries: &[Entry], gas: &Points, radar: &Points, motion: &Points) {
    found.ledger += entries.len() as u64;
    let mut expected: HashMap<u32, (i64, u32)> = entries.iter().map(|entry| (entry.seq, (entry.time, 0))).collect();
    let mut numbers: HashMap<i64, u32> = HashMap::with_capacity(gas.len());
    for (time, value) in gas {
        let seq = value.parse::<f64>().unwrap_or_default() as u32;
        numbers.insert(*time, seq);
        match expected.get_mut(&seq) {
            None => {
                found.without_receipt += 1;
                found.example(format!("{id} {seq}: without receipt"));
            }
            Some((sent, times)) => {
                *times += 1;
                if *times > 1 {
                    found.twice += 1;
                    found.example(format!("{id} {seq}: twice"));
                } else if !(0..=MOVED).contains(&(*time - *sent)) {
                    found.wrong += 1;
                    found.example(format!("{id} {seq}: sent with {sent}, stored at {time}"));
                } else {
                    found.found += 1;
                }
            }
        }
    }
    for (seq, _) in expected.iter().filter(|(_, (_, times))| *times == 0) {
        found.missing += 1;
        found.example(format!("{id} {seq}: missing"));
    }
    paired(found, id, &numbers, radar, |seq, values| {
        values == format!("{},{},{}", seq % 600, seq.is_multiple_of(3), seq % 100)
    });
    paired(found, id, &numbers, motion, |seq, value| value == if seq % 2 == 0 { "true" } else { "false" });
}

/// The points of another measurement go with the readings, one to one.
fn paired(
    found: &mut Found,
    id: &str,
    numbers: &HashMap<i64, u32>,
    points: &Points,
    right: impl Fn(u32, &str) -> bool,
) {
    let wrong = points.iter().filter(|(time, value)| !numbers.get(time).is_some_and(|seq| right(*seq, value))).count();
    let unpaired = wrong.max(numbers.len().abs_diff(points.len()));
    if unpaired > 0 {
        found.unpaired += unpaired as u64;
        found.example(format!("{id}: {unpaired} points of another measurement do not fit"));
    }
}

/// Times and values, from InfluxDB's CSV: `name,tags,time,value…`; ours hold no comma.
async fn query(client: &Client, options: &Verify, statement: &str) -> Result<Points> {
    let encoded: String = statement.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let address = format!("{}/query?db={}&epoch=ns&q={encoded}", options.influx, options.database);
    let answer = client.get(address).header("Accept", "application/csv").send().await.context("InfluxDB")?;
    ensure!(answer.status().is_success(), "InfluxDB answers {}", answer.status());
    let text = answer.text().await?;
    let mut points = Vec::new();
    for line in text.lines().skip(1) {
        let mut parts = line.splitn(4, ',').skip(2);
        let (time, values) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        points.push((time.parse().with_context(|| format!("InfluxDB answers `{line}`"))?, values.to_owned()));
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u32, time: i64) -> Entry {
        Entry { device: 0, seq, time }
    }

    fn points(list: &[(i64, &str)]) -> Points {
        list.iter().map(|(time, value)| (*time, (*value).to_owned())).collect()
    }

    fn check(entries: &[Entry], gas: &[(i64, &str)], radar: &[(i64, &str)], motion: &[(i64, &str)]) -> Found {
        let mut found = Found::default();
        device(&mut found, "sim-0", entries, &points(gas), &points(radar), &points(motion));
        found
    }

    #[test]
    fn the_same() {
        let found = check(
            &[entry(1, 10), entry(2, 10)],
            &[(10, "1"), (11, "2")],
            &[(10, "1,false,1"), (11, "2,false,2")],
            &[(10, "false"), (11, "true")],
        );
        assert_eq!((found.found, found.missing, found.twice, found.wrong, found.unpaired), (2, 0, 0, 0, 0));
    }

    #[test]
    fn lost_twice_and_strange_ones_are_found() {
        let found = check(
            &[entry(1, 10), entry(2, 20)],
            &[(10, "1"), (11, "1"), (30, "7")],
            &[(10, "1,false,1")],
            &[(10, "false")],
        );
        assert_eq!((found.missing, found.twice, found.without_receipt, found.unpaired), (1, 1, 1, 4));
    }
}

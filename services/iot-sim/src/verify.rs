//! Is the ledger what InfluxDB holds? Every reading with a receipt must be there once, in each of its measurements, with its
//! values, at its time or a nanosecond further on; and nothing else may be there. What other runs of the same devices sent is
//! for their own ledgers: by its value it is known, and counted.

use crate::boot::Boot;
use crate::cli::Verify;
use crate::hint::Hint;
use crate::ledger::{self, Entry};
use anyhow::{Context, Result, anyhow, ensure};
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
    /// In InfluxDB, but without receipt, or of no run at all.
    pub without_receipt: u64,
    /// In InfluxDB at another time or with other values.
    pub wrong: u64,
    /// Points of the other measurements that do not go with the readings.
    pub unpaired: u64,
    /// Readings of other runs of the same devices. They are not compared.
    pub of_other_runs: u64,
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
    let influx = Influx::new(options)?;
    influx.has_database().await?;
    let mut found = Found::default();
    for (number, id) in head.devices.iter().enumerate() {
        let entries = devices.remove(&(number as u32)).unwrap_or_default();
        let filter = format!("WHERE device_id = '{id}' AND time >= {}", head.boot.earliest());
        let gas = influx.points(&format!("SELECT concentration_ppm FROM mq134_gas {filter}")).await?;
        let fields = "distance_cm, presence_detected, detection_energy";
        let radar = influx.points(&format!("SELECT {fields} FROM ld2410_presence {filter}")).await?;
        let motion = influx.points(&format!("SELECT motion_detected FROM pir_motion {filter}")).await?;
        device(&mut found, head.boot, id, &entries, &gas, &radar, &motion);
    }
    found.equal = found.missing + found.twice + found.without_receipt + found.wrong + found.unpaired == 0;
    Ok(found)
}

type Points = Vec<(i64, String)>;

/// Whose a point is, by its value.
enum Origin {
    /// The run of the ledger, with this number.
    Ours(u32),
    OtherRun,
    /// No device sends that.
    Nobody,
}

impl Origin {
    fn of(value: &str, time: i64, boot: Boot) -> Self {
        match Boot::of_value(value) {
            Some((its, seq)) if its == boot => Self::Ours(seq),
            Some((its, _)) if its.can_have_sent(time) => Self::OtherRun,
            _ => Self::Nobody,
        }
    }
}

fn device(found: &mut Found, boot: Boot, id: &str, entries: &[Entry], gas: &Points, radar: &Points, motion: &Points) {
    found.ledger += entries.len() as u64;
    let mut expected: HashMap<u32, (i64, u32)> = entries.iter().map(|entry| (entry.seq, (entry.time, 0))).collect();
    let mut numbers: Numbers = HashMap::with_capacity(gas.len());
    for (time, value) in gas {
        match Origin::of(value, *time, boot) {
            Origin::Ours(seq) => {
                numbers.insert(*time, Some(seq));
                reading(found, id, seq, *time, expected.get_mut(&seq));
            }
            Origin::OtherRun => {
                numbers.insert(*time, None);
                found.of_other_runs += 1;
            }
            Origin::Nobody => {
                found.without_receipt += 1;
                found.example(format!("{id}: {value} at {time} is of no run"));
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

/// A reading that is stored; `expected` is with which time it was sent, and how often it was found so far.
fn reading(found: &mut Found, id: &str, seq: u32, time: i64, expected: Option<&mut (i64, u32)>) {
    let Some((sent, times)) = expected else {
        found.without_receipt += 1;
        found.example(format!("{id} {seq}: without receipt"));
        return;
    };
    *times += 1;
    if *times > 1 {
        found.twice += 1;
        found.example(format!("{id} {seq}: twice"));
    } else if !(0..=MOVED).contains(&(time - *sent)) {
        found.wrong += 1;
        found.example(format!("{id} {seq}: sent with {sent}, stored at {time}"));
    } else {
        found.found += 1;
    }
}

/// Which number stands at a time; none where another run's reading stands.
type Numbers = HashMap<i64, Option<u32>>;

/// The points of another measurement go with the readings, one to one.
fn paired(found: &mut Found, id: &str, numbers: &Numbers, points: &Points, right: impl Fn(u32, &str) -> bool) {
    let (mut ours, mut wrong) = (0, 0);
    for (time, value) in points {
        match numbers.get(time) {
            Some(None) => {}
            Some(Some(seq)) if right(*seq, value) => ours += 1,
            _ => (ours, wrong) = (ours + 1, wrong + 1),
        }
    }
    let readings = numbers.values().flatten().count();
    let unpaired = wrong.max(readings.abs_diff(ours));
    if unpaired > 0 {
        found.unpaired += unpaired as u64;
        found.example(format!("{id}: {unpaired} points of another measurement do not fit"));
    }
}

/// InfluxDB, as the arguments name it.
struct Influx<'a> {
    client: Client,
    options: &'a Verify,
}

impl<'a> Influx<'a> {
    fn new(options: &'a Verify) -> Result<Self> {
        Ok(Self { client: Client::builder().timeout(Duration::from_secs(120)).build()?, options })
    }

    /// It answers a query of a database that it does not have as one of which nothing is stored.
    async fn has_database(&self) -> Result<()> {
        let text = self.query("SHOW DATABASES").await.hint("`--influx` is where InfluxDB 1.x listens; does it run?")?;
        let names: Vec<&str> = text.lines().skip(1).filter_map(|line| line.strip_prefix("databases,,")).collect();
        let Verify { influx, database, .. } = self.options;
        if names.contains(&database.as_str()) {
            return Ok(());
        }
        let known =
            if names.is_empty() { "it has none".to_owned() } else { format!("it has `{}`", names.join("`, `")) };
        Err(anyhow!("InfluxDB at {influx} has no database `{database}`"))
            .hint(format!("{known}; `--database` is the one that data-ingestion writes to"))
    }

    /// Times and values of a series.
    async fn points(&self, statement: &str) -> Result<Points> {
        let mut points = Vec::new();
        for line in self.query(statement).await?.lines().skip(1) {
            let mut parts = line.splitn(4, ',').skip(2);
            let (time, values) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            points.push((time.parse().with_context(|| format!("InfluxDB answers `{line}`"))?, values.to_owned()));
        }
        Ok(points)
    }

    /// Its answer as CSV: a line of headings, then `name,tags,time,value…`; ours hold no comma.
    async fn query(&self, statement: &str) -> Result<String> {
        let Verify { influx, database, .. } = self.options;
        let address = format!("{influx}/query?db={}&epoch=ns&q={}", encoded(database), encoded(statement));
        let answer = self.client.get(address).header("Accept", "application/csv").send().await.context("InfluxDB")?;
        ensure!(answer.status().is_success(), "InfluxDB answers {}", answer.status());
        Ok(answer.text().await?)
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ledger, stub};

    /// Tenths of a second since 2020, and the same in nanoseconds since 1970.
    const BOOT: u64 = 2_170_000_000;
    const BEGIN: i64 = 1_794_836_800_000_000_000;

    fn boot(tenths: u64) -> Boot {
        serde_json::from_value(tenths.into()).unwrap()
    }

    fn entry(seq: u32, time: i64) -> Entry {
        Entry { device: 0, seq, time: BEGIN + time }
    }

    /// What a run stored: times after the beginning, and numbers.
    fn readings(tenths: u64, list: &[(i64, u32)]) -> Points {
        list.iter().map(|(time, seq)| (BEGIN + time, boot(tenths).value(*seq).to_string())).collect()
    }

    fn points(list: &[(i64, &str)]) -> Points {
        list.iter().map(|(time, value)| (BEGIN + time, (*value).to_owned())).collect()
    }

    fn check(entries: &[Entry], gas: &Points, radar: &[(i64, &str)], motion: &[(i64, &str)]) -> Found {
        let mut found = Found::default();
        device(&mut found, boot(BOOT), "sim-0", entries, gas, &points(radar), &points(motion));
        found
    }

    #[test]
    fn the_same() {
        let found = check(
            &[entry(1, 10), entry(2, 10)],
            &readings(BOOT, &[(10, 1), (11, 2)]),
            &[(10, "1,false,1"), (11, "2,false,2")],
            &[(10, "false"), (11, "true")],
        );
        assert_eq!((found.found, found.missing, found.twice, found.wrong, found.unpaired), (2, 0, 0, 0, 0));
    }

    #[test]
    fn lost_twice_and_strange_ones_are_found() {
        let found = check(
            &[entry(1, 10), entry(2, 20)],
            &readings(BOOT, &[(10, 1), (11, 1), (30, 7)]),
            &[(10, "1,false,1")],
            &[(10, "false")],
        );
        assert_eq!((found.missing, found.twice, found.without_receipt, found.unpaired), (1, 1, 1, 4));
    }

    #[test]
    fn one_that_is_stored_again_at_any_time_is_twice() {
        let day = 86_400_000_000_000;
        for again in [-day, 11, 10 + day, 30 * day] {
            let motion = [(10, "false"), (again, "false")];
            let radar = [(10, "1,false,1"), (again, "1,false,1")];
            let found = check(&[entry(1, 10)], &readings(BOOT, &[(10, 1), (again, 1)]), &radar, &motion);
            assert_eq!((found.found, found.twice, found.of_other_runs), (1, 1, 0), "{again}");
        }
    }

    #[test]
    fn readings_of_earlier_and_later_runs_are_for_their_own_ledgers() {
        let mut gas = readings(BOOT, &[(10, 1)]);
        gas.extend(readings(BOOT - 30, &[(-5, 1), (-4, 2)]));
        gas.extend(readings(BOOT + 600, &[(60_000_000_005, 1)]));
        let radar = [(10, "1,false,1"), (-5, "1,false,1"), (-4, "2,false,2"), (60_000_000_005, "1,false,1")];
        let motion = [(10, "false"), (-5, "false"), (-4, "true"), (60_000_000_005, "false")];
        let found = check(&[entry(1, 10)], &gas, &radar, &motion);
        assert_eq!((found.found, found.of_other_runs), (1, 3));
        assert_eq!((found.missing, found.twice, found.without_receipt), (0, 0, 0));
        assert_eq!((found.wrong, found.unpaired), (0, 0));
    }

    #[test]
    fn what_no_run_can_have_sent_is_found() {
        // A number alone, a fraction, and a run that began long after.
        let later = boot(BOOT + 36_000_000).value(1).to_string();
        for value in ["7", "1.5", "2170000000000001.5", "", &later] {
            let mut gas = readings(BOOT, &[(10, 1)]);
            gas.push((BEGIN + 20, value.to_owned()));
            let found = check(&[entry(1, 10)], &gas, &[(10, "1,false,1")], &[(10, "false")]);
            assert_eq!((found.found, found.without_receipt, found.of_other_runs), (1, 1, 0), "{value}");
        }
    }

    #[test]
    fn a_value_that_is_changed_is_missed_whatever_it_looks_like() {
        let of_another = readings(BOOT - 30, &[(10, 1)]);
        let found = check(&[entry(1, 10)], &of_another, &[(10, "1,false,1")], &[(10, "false")]);
        assert_eq!((found.found, found.missing, found.of_other_runs), (0, 1, 1));
    }

    #[test]
    fn a_point_beside_the_readings_is_unpaired() {
        let gas = readings(BOOT, &[(10, 1)]);
        let found = check(&[entry(1, 10)], &gas, &[(10, "1,false,1"), (12, "1,false,1")], &[(10, "true")]);
        assert_eq!((found.found, found.unpaired), (1, 2));
    }

    /// The error of a comparison of an empty ledger with this database.
    async fn said(influx: &str, database: &str) -> String {
        let path = std::env::temp_dir().join(format!("iot-sim-verify-{database}-{}", std::process::id()));
        let head = ledger::Head { devices: vec!["sim-0".to_owned()], boot: boot(BOOT) };
        ledger::Ledger::create(&path, &head).unwrap().finish().unwrap();
        let ledger = path.display().to_string();
        let said = crate::run(&["verify", "--ledger", &ledger, "--influx", influx, "--database", database]).await;
        std::fs::remove_file(path).unwrap();
        said.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_database_that_is_not_there_is_told() {
        let (influx, _) = stub::serve(&["name,tags,name\ndatabases,,_internal\ndatabases,,iot\n"]).await;
        assert_eq!(
            said(&influx, "iott").await,
            format!(
                "InfluxDB at {influx} has no database `iott`\n\
                 hint: it has `_internal`, `iot`; `--database` is the one that data-ingestion writes to"
            )
        );
        let (influx, _) = stub::serve(&[""]).await;
        assert!(said(&influx, "nothing").await.contains("\nhint: it has none; "));
    }

    #[tokio::test]
    async fn an_influxdb_that_is_away_is_told() {
        let said = said("http://127.0.0.1:1", "away").await;
        assert!(said.contains("127.0.0.1:1"), "{said}");
        assert!(said.ends_with("\nhint: `--influx` is where InfluxDB 1.x listens; does it run?"), "{said}");
    }
}

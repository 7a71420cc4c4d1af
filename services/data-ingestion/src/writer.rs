//! From the stream to InfluxDB: reads entries, writes them in batches, then settles them. An entry is acknowledged only
//! when InfluxDB has its points, or they are dead letters.

use crate::influx::{self, Influx};
use crate::line;
use crate::payload::Reason;
use crate::reading::{self, Stored, Unreadable};
use crate::receipts::Receipts;
use crate::stream::{Consumer, DeadLetter, Entry, Place, Settled, Stream};
use axum::body::Bytes;
use service::{Retry, Shutdown};
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

/// How entries are gathered.
#[derive(Debug, Clone, Copy)]
pub struct Batching {
    /// Most entries in one write. An entry has up to 64 KiB.
    pub entries: usize,
    /// A small batch waits for more until so long after the last write. Less than `MQTT_LINGER`: what came over MQTT has waited
    /// once, and is written as soon as it is in the stream.
    pub linger: Duration,
}

impl Default for Batching {
    fn default() -> Self {
        Self { entries: 32, linger: Duration::from_millis(10) }
    }
}

/// How long a read waits; a shutdown waits as long.
const WAIT: Duration = Duration::from_millis(500);
/// Waits between attempts while InfluxDB or Redis is away. Short, as taking over must end within ten seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The writer of one replica.
#[derive(Debug)]
pub struct Writer {
    /// The stream.
    pub stream: Stream,
    /// Where points go.
    pub influx: Influx,
    /// Who is told.
    pub receipts: Receipts,
    /// How entries are gathered.
    pub batching: Batching,
    /// This replica's name among the consumers.
    pub name: String,
    /// When to end.
    pub shutdown: Shutdown,
}

/// A point's place in the batch.
struct Line {
    bytes: Range<usize>,
    reading: usize,
}

struct Batch<'a> {
    text: Bytes,
    lines: Vec<Line>,
    readings: Vec<Stored<'a>>,
    letters: Vec<DeadLetter>,
    /// Readings of which a point was refused, and why.
    refused: Vec<Option<Reason>>,
}

impl Batch<'_> {
    fn line(&self, at: usize) -> &str {
        std::str::from_utf8(&self.text[self.lines[at].bytes.clone()]).unwrap_or_default()
    }

    fn text(&self, part: &[usize]) -> Bytes {
        let (Some(&first), Some(&last)) = (part.first(), part.last()) else { return Bytes::new() };
        if part.is_sorted() && last - first + 1 == part.len() {
            return self.text.slice(self.lines[first].bytes.start..self.lines[last].bytes.end);
        }
        part.iter().map(|&at| self.line(at)).collect::<String>().into()
    }

    /// A smaller matter each. What InfluxDB refuses, it refuses for a measurement's type or for its time.
    fn split(&self, mut part: Vec<usize>) -> Vec<Vec<usize>> {
        let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        part.iter().for_each(|&at| groups.entry(line::place(self.line(at)).0).or_default().push(at));
        if groups.len() > 1 {
            return groups.into_values().collect();
        }
        part.sort_by_key(|&at| line::place(self.line(at)).1);
        let later = part.split_off(part.len().div_ceil(2));
        vec![part, later]
    }

    /// A point becomes a dead letter, with its number so that it is known again when it is replayed.
    fn refuse(&mut self, reading: usize, reason: Reason, detail: &str, line: &str) {
        let Stored { device, boot, seq, .. } = self.readings[reading];
        let line = if seq > 0 { line::numbered(line, device, boot, seq) } else { line.to_owned() };
        self.letters.push(DeadLetter::new(reason.word(), detail, "influxdb", Some(device), line.as_bytes()));
        self.refused[reading] = Some(reason);
        metrics::counter!("ingestion_refused_total", "reason" => reason.word()).increment(1);
    }
}

/// How many points InfluxDB 1.x and 2.x say they have not stored, of those that were sent.
fn dropped(detail: &str) -> Option<usize> {
    let (_, rest) = detail.split_once("partial write")?;
    let (_, count) = rest.rsplit_once("dropped=")?;
    count.split(|char: char| !char.is_ascii_digit()).next()?.parse().ok()
}

impl Writer {
    /// Works until the shutdown. What it has not finished then, another one claims.
    ///
    /// # Errors
    /// Never; what is away is waited for.
    pub async fn run(self) -> Result<(), std::convert::Infallible> {
        let mut consumer = Consumer::new(self.stream.clone(), self.name.clone());
        let (mut claimed, mut written) = (Instant::now(), Instant::now());
        let retry = || Retry::between(Duration::from_millis(100), LONGEST_WAIT);
        let mut waits = retry().waits();
        while !self.shutdown.begun() {
            let entries = if claimed.elapsed() > Duration::from_secs(1) {
                claimed = Instant::now();
                consumer.claim().await
            } else {
                self.gather(&mut consumer, written).await
            };
            match entries {
                Ok(entries) => {
                    waits = retry().waits();
                    if !entries.is_empty() {
                        written = Instant::now();
                        self.process(&entries).await;
                    }
                }
                Err(error) => {
                    let wait = waits.next().unwrap_or(LONGEST_WAIT);
                    tracing::warn!(%error, wait_seconds = wait.as_secs_f64(), "the stream cannot be read");
                    tokio::select! { () = self.shutdown.wait() => {}, () = tokio::time::sleep(wait) => {} }
                }
            }
        }
        Ok(())
    }

    /// The first entry is waited for. When there are few, and the last write was a moment ago, more are waited for: each write
    /// costs InfluxDB a sync.
    async fn gather(&self, consumer: &mut Consumer, written: Instant) -> Result<Vec<Entry>, crate::stream::Error> {
        let mut entries = consumer.read(self.batching.entries, Some(WAIT)).await?;
        if !entries.is_empty()
            && !consumer.is_recovering()
            && entries.len() < self.batching.entries
            && let Some(rest) = self.batching.linger.checked_sub(written.elapsed())
        {
            tokio::time::sleep(rest).await;
            match consumer.read(self.batching.entries - entries.len(), None).await {
                Ok(more) => entries.extend(more),
                // What is read already must not be lost: it is pending under our name, and nobody would claim it.
                Err(error) => tracing::warn!(%error, "the stream cannot be read"),
            }
        }
        Ok(entries)
    }

    async fn process(&self, entries: &[Entry]) {
        let (mut readings, mut letters, mut ours) = (Vec::new(), Vec::new(), Vec::with_capacity(entries.len()));
        for entry in entries {
            match reading::read(&entry.block) {
                Ok(more) => readings.extend(more),
                // Settled already, and removed.
                Err(_) if entry.block.is_empty() => {}
                // It stays pending under our name. When we end, a replica of its version claims it.
                Err(Unreadable::OtherVersion) => {
                    metrics::counter!("ingestion_entries_of_other_versions_total").increment(1);
                    tracing::error!(entry = entry.id, "an entry of the stream waits for the version that wrote it");
                    continue;
                }
                Err(Unreadable::Damaged) => {
                    letters.push(DeadLetter::new("malformed", "it is damaged", "stream", None, &entry.block))
                }
            }
            ours.push(entry);
        }
        if ours.is_empty() {
            return;
        }
        let Some(mut batch) = self.batch(readings, letters).await else { return };
        let begun = Instant::now();
        if !self.write(&mut batch).await {
            return;
        }
        metrics::histogram!("ingestion_write_duration_seconds").record(begun.elapsed().as_secs_f64());
        self.settle(&ours, batch).await;
    }

    /// Encodes what must be written. `None`: the shutdown has begun.
    async fn batch<'a>(&self, readings: Vec<Stored<'a>>, letters: Vec<DeadLetter>) -> Option<Batch<'a>> {
        let points: Vec<_> = readings.iter().map(Stored::points).collect();
        let damaged: Vec<usize> = (0..readings.len()).filter(|&at| points[at].is_err()).collect();
        let points: Vec<Vec<(&str, &str)>> = points.into_iter().map(Result::unwrap_or_default).collect();
        let numbered: Vec<usize> =
            (0..readings.len()).filter(|&at| readings[at].seq > 0 && !points[at].is_empty()).collect();
        let asked: Vec<(&Stored<'_>, String)> = numbered
            .iter()
            .map(|&at| {
                (&readings[at], points[at].iter().map(|(measurement, _)| *measurement).collect::<Vec<_>>().join(","))
            })
            .collect();
        let retry = Retry::between(Duration::from_millis(100), LONGEST_WAIT);
        let places =
            retry.run("places of readings", &self.shutdown, || self.stream.places(&asked)).await.ok().flatten()?;
        let mut places = numbered.into_iter().zip(places).peekable();
        let mut text = String::with_capacity(readings.len() * 160);
        let mut lines = Vec::with_capacity(readings.len() * 3);
        let mut crowded = Vec::new();
        for (at, reading) in readings.iter().enumerate() {
            let place = places.next_if(|(of, _)| *of == at).map_or(Place::Own, |(_, place)| place);
            let times = match &place {
                Place::Settled => {
                    metrics::counter!("ingestion_repeats_total").increment(1);
                    continue;
                }
                Place::Crowded => {
                    crowded.push(at);
                    continue;
                }
                Place::Own => &[][..],
                Place::Moved(times) => times.as_slice(),
            };
            for (number, (measurement, fields)) in points[at].iter().enumerate() {
                let time = times.get(number).copied().unwrap_or(reading.time);
                let begin = text.len();
                line::point(&mut text, measurement, reading.device, fields, time);
                lines.push(Line { bytes: begin..text.len(), reading: at });
            }
        }
        let refused = vec![None; readings.len()];
        let mut batch = Batch { text: text.into(), lines, readings, letters, refused };
        for at in damaged {
            batch.refuse(at, Reason::Malformed, "its entry of the stream is damaged", "");
        }
        for at in crowded {
            for (measurement, fields) in &points[at] {
                let mut line = String::new();
                line::point(&mut line, measurement, batch.readings[at].device, fields, batch.readings[at].time);
                batch.refuse(at, Reason::SameTime, "too many readings of the device have this time", &line);
            }
        }
        Some(batch)
    }

    /// Writes all lines; those that InfluxDB refuses become dead letters. `false`: the shutdown has begun.
    async fn write(&self, batch: &mut Batch<'_>) -> bool {
        let mut parts: Vec<Vec<usize>> = vec![(0..batch.lines.len()).collect()];
        while let Some(part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            let text = batch.text(&part);
            match self.write_part(&text, part.len()).await {
                None => return false,
                Some(Ok(())) => metrics::counter!("ingestion_points_written_total").increment(part.len() as u64),
                // A column of another type refuses all of a measurement: not one by one, or nothing else gets through.
                Some(Err(influx::Error::Refused(detail)))
                    if part.len() == 1 || dropped(&detail) == Some(part.len()) =>
                {
                    for at in part {
                        let line = batch.line(at).to_owned();
                        batch.refuse(batch.lines[at].reading, Reason::Storage, &detail, &line);
                    }
                }
                // Which of them it was is not said in a form to rely on.
                Some(Err(_)) => parts.extend(batch.split(part)),
            }
        }
        true
    }

    /// Repeats while InfluxDB is away. `None`: the shutdown has begun.
    async fn write_part(&self, text: &Bytes, lines: usize) -> Option<Result<(), influx::Error>> {
        let mut waits = Retry::between(Duration::from_millis(100), LONGEST_WAIT).waits();
        loop {
            let error = match self.influx.write(text.clone()).await {
                Ok(()) => return Some(Ok(())),
                Err(influx::Error::Away(error)) => error,
                // A single line that is too large will never fit.
                Err(influx::Error::TooLarge) if lines == 1 => {
                    return Some(Err(influx::Error::Refused("the point is too large".to_owned())));
                }
                Err(error) => return Some(Err(error)),
            };
            let wait = waits.next().unwrap_or(LONGEST_WAIT);
            metrics::counter!("ingestion_write_retries_total").increment(1);
            tracing::warn!(error, wait_seconds = wait.as_secs_f64(), "InfluxDB did not take a batch");
            tokio::select! {
                () = self.shutdown.wait() => return None,
                () = tokio::time::sleep(wait) => {}
            }
            if error.contains("404") {
                let _ = self.influx.prepare().await;
            }
        }
    }

    async fn settle(&self, entries: &[&Entry], batch: Batch<'_>) {
        let mut settled = Settled::default();
        for (reading, refused) in batch.readings.iter().zip(&batch.refused) {
            if reading.seq > 0 {
                let refused = refused.map(Reason::word).or(Some(reading.refused).filter(|reason| !reason.is_empty()));
                settled.add(reading, refused);
            }
        }
        let ids: Vec<(String, usize)> = entries.iter().map(|entry| (entry.id.clone(), entry.block.len())).collect();
        let mut waits = Retry::between(Duration::from_millis(50), LONGEST_WAIT).waits();
        let receipts = loop {
            match self.stream.settle(&ids, &batch.letters, &mut settled).await {
                Ok(receipts) => break receipts,
                Err(error) => {
                    let wait = waits.next().unwrap_or(LONGEST_WAIT);
                    tracing::warn!(%error, "a batch is stored but not settled");
                    tokio::select! { () = self.shutdown.wait() => return, () = tokio::time::sleep(wait) => {} }
                }
            }
        };
        metrics::counter!("ingestion_readings_stored_total").increment(batch.readings.len() as u64);
        for (device, receipt) in receipts {
            self.receipts.post(device, receipt);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(lines: &[(&str, i64)]) -> Batch<'static> {
        let mut text = String::new();
        let lines = lines.iter().map(|(measurement, time)| {
            let begin = text.len();
            line::point(&mut text, measurement, "esp-1", "v=1", *time);
            Line { bytes: begin..text.len(), reading: 0 }
        });
        let lines: Vec<Line> = lines.collect();
        let readings = vec![Stored { device: "esp-1", boot: "b", seq: 7, ..Stored::default() }];
        Batch { text: text.into(), lines, readings, letters: Vec::new(), refused: vec![None] }
    }

    #[test]
    fn what_is_refused_is_split_by_measurement_and_then_by_time() {
        let batch = batch(&[("gas", 30), ("pir", 30), ("gas", 10), ("pir", 10), ("gas", 20)]);
        let groups = batch.split((0..5).collect());
        assert_eq!(groups, [vec![0, 2, 4], vec![1, 3]]);
        assert_eq!(batch.split(groups[0].clone()), [vec![2, 4], vec![0]]);
        let text = batch.text(&groups[1]);
        assert_eq!(text, "pir,device_id=esp-1 v=1 30\npir,device_id=esp-1 v=1 10\n");
        assert_eq!(batch.text(&[1, 2]), "pir,device_id=esp-1 v=1 30\ngas,device_id=esp-1 v=1 10\n");
    }

    #[test]
    fn a_refused_point_keeps_its_number() {
        let mut batch = batch(&[("gas", 30)]);
        let line = batch.line(0).to_owned();
        batch.refuse(0, Reason::Storage, "no", &line);
        assert_eq!(batch.letters[0].payload, "gas,device_id=esp-1,boot=b,seq=7 v=1 30\n");
        assert_eq!(batch.refused, [Some(Reason::Storage)]);
    }

    #[test]
    fn how_many_were_dropped() {
        let text = r#"{"error":"partial write: field type conflict: input field \"v\" on measurement \"gas\" is type string, already exists as type float dropped=12"}"#;
        assert_eq!(dropped(text), Some(12));
        assert_eq!(dropped("partial write: points beyond retention policy dropped=3"), Some(3));
        assert_eq!(dropped("unable to parse 'x': dropped=3"), None);
    }
}

//! From the stream to InfluxDB: reads entries, writes them in batches, then settles them. An entry is acknowledged only
//! when InfluxDB has its points, or they are dead letters.

use crate::influx::{self, Influx};
use crate::line;
use crate::reading::{self, Stored};
use crate::receipts::Receipts;
use crate::stream::{Consumer, DeadLetter, Entry, Settled, Stream};
use service::{Retry, Shutdown};
use std::ops::Range;
use std::time::{Duration, Instant};

/// How entries are gathered.
#[derive(Debug, Clone, Copy)]
pub struct Batching {
    /// Most entries in one write. An entry has up to 64 KiB.
    pub entries: usize,
    /// How long a small batch waits for more.
    pub linger: Duration,
}

impl Default for Batching {
    fn default() -> Self {
        Self { entries: 32, linger: Duration::from_millis(20) }
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
    text: String,
    lines: Vec<Line>,
    readings: Vec<Stored<'a>>,
    letters: Vec<DeadLetter>,
    /// Readings of which InfluxDB refused a point.
    refused: Vec<bool>,
}

impl Writer {
    /// Works until the shutdown. What it has not finished then, another one claims.
    ///
    /// # Errors
    /// Never; what is away is waited for.
    pub async fn run(self) -> Result<(), std::convert::Infallible> {
        let mut consumer = Consumer::new(self.stream.clone(), self.name.clone());
        let mut claimed = Instant::now();
        let retry = || Retry::between(Duration::from_millis(100), LONGEST_WAIT);
        let mut waits = retry().waits();
        while !self.shutdown.begun() {
            let entries = if claimed.elapsed() > Duration::from_secs(1) {
                claimed = Instant::now();
                consumer.claim().await
            } else {
                self.gather(&mut consumer).await
            };
            match entries {
                Ok(entries) => {
                    waits = retry().waits();
                    if !entries.is_empty() {
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

    /// The first entry is waited for; when there are few, a little longer for more, as each write costs InfluxDB a sync.
    async fn gather(&self, consumer: &mut Consumer) -> Result<Vec<Entry>, crate::stream::Error> {
        let mut entries = consumer.read(self.batching.entries, Some(WAIT)).await?;
        if !entries.is_empty()
            && !consumer.is_recovering()
            && entries.len() < self.batching.entries
            && !self.batching.linger.is_zero()
        {
            tokio::time::sleep(self.batching.linger).await;
            match consumer.read(self.batching.entries - entries.len(), None).await {
                Ok(more) => entries.extend(more),
                // What is read already must not be lost: it is pending under our name, and nobody would claim it.
                Err(error) => tracing::warn!(%error, "the stream cannot be read"),
            }
        }
        Ok(entries)
    }

    async fn process(&self, entries: &[Entry]) {
        let (mut readings, mut letters) = (Vec::new(), Vec::new());
        for entry in entries {
            match reading::read(&entry.block) {
                Ok(more) => readings.extend(more),
                // Settled already, and removed.
                Err(_) if entry.block.is_empty() => {}
                Err(error) => {
                    letters.push(DeadLetter::new("malformed", &error.to_string(), "stream", None, &entry.block))
                }
            }
        }
        let Some(mut batch) = self.batch(readings, letters).await else { return };
        let begun = Instant::now();
        if !self.write(&mut batch).await {
            return;
        }
        metrics::histogram!("ingestion_write_duration_seconds").record(begun.elapsed().as_secs_f64());
        self.settle(entries, batch).await;
    }

    /// Encodes what must be written. `None`: the shutdown has begun.
    async fn batch<'a>(&self, readings: Vec<Stored<'a>>, letters: Vec<DeadLetter>) -> Option<Batch<'a>> {
        let points: Vec<Vec<(&str, &str)>> =
            readings.iter().map(|reading| reading.points().unwrap_or_default()).collect();
        let numbered: Vec<usize> =
            (0..readings.len()).filter(|&at| readings[at].seq > 0 && !points[at].is_empty()).collect();
        let asked: Vec<(&Stored<'_>, String)> = numbered
            .iter()
            .map(|&at| {
                (&readings[at], points[at].iter().map(|(measurement, _)| *measurement).collect::<Vec<_>>().join(","))
            })
            .collect();
        let retry = Retry::between(Duration::from_millis(100), LONGEST_WAIT);
        let times =
            retry.run("times of readings", &self.shutdown, || self.stream.times(&asked)).await.ok().flatten()?;
        let mut moved = numbered.iter().copied().zip(times).peekable();
        let mut text = String::with_capacity(readings.len() * 160);
        let mut lines = Vec::with_capacity(readings.len() * 3);
        for (at, reading) in readings.iter().enumerate() {
            let times = moved.next_if(|(of, _)| *of == at).and_then(|(_, times)| times);
            if times.as_ref().is_some_and(Vec::is_empty) {
                metrics::counter!("ingestion_repeats_total").increment(1);
                continue;
            }
            for (number, (measurement, fields)) in points[at].iter().enumerate() {
                let time = times.as_ref().and_then(|times| times.get(number)).copied().unwrap_or(reading.time);
                let begin = text.len();
                line::point(&mut text, measurement, reading.device, fields, time);
                lines.push(Line { bytes: begin..text.len(), reading: at });
            }
        }
        let refused = vec![false; readings.len()];
        Some(Batch { text, lines, readings, letters, refused })
    }

    /// Writes all lines; those that InfluxDB refuses become dead letters. `false`: the shutdown has begun.
    async fn write(&self, batch: &mut Batch<'_>) -> bool {
        let mut parts: Vec<_> = std::iter::once(0..batch.lines.len()).collect();
        while let Some(part) = parts.pop() {
            let lines = &batch.lines[part.clone()];
            let (Some(first), Some(last)) = (lines.first(), lines.last()) else { continue };
            let text = &batch.text[first.bytes.start..last.bytes.end];
            match self.write_part(text).await {
                None => return false,
                Some(Ok(())) => metrics::counter!("ingestion_points_written_total").increment(lines.len() as u64),
                Some(Err(influx::Error::Refused(detail))) if lines.len() == 1 => {
                    let line = &batch.lines[part.start];
                    let device = batch.readings[line.reading].device;
                    batch.letters.push(DeadLetter::new("storage", &detail, "influxdb", Some(device), text.as_bytes()));
                    batch.refused[line.reading] = true;
                    metrics::counter!("ingestion_refused_total", "reason" => "storage").increment(1);
                }
                // Which of them it was is not said in a form to rely on: halves, until it stands alone.
                Some(Err(_)) => {
                    let middle = part.start + part.len().div_ceil(2);
                    parts.push(middle..part.end);
                    parts.push(part.start..middle);
                }
            }
        }
        true
    }

    /// Repeats while InfluxDB is away. `None`: the shutdown has begun.
    async fn write_part(&self, text: &str) -> Option<Result<(), influx::Error>> {
        let mut waits = Retry::between(Duration::from_millis(100), LONGEST_WAIT).waits();
        loop {
            let error = match self.influx.write(text.to_owned()).await {
                Ok(()) => return Some(Ok(())),
                Err(influx::Error::Away(error)) => error,
                // A single line that is too large will never fit.
                Err(influx::Error::TooLarge) if text.lines().count() == 1 => {
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

    async fn settle(&self, entries: &[Entry], batch: Batch<'_>) {
        let mut settled = Settled::default();
        for (reading, refused) in batch.readings.iter().zip(&batch.refused) {
            // `~`: a replay, whose number was settled when it was refused.
            if reading.seq == 0 || reading.boot.starts_with('~') {
                continue;
            }
            if !reading.refused.is_empty() {
                settled.refused(reading.device, reading.boot, reading.seq, reading.refused);
            } else if *refused {
                settled.refused(reading.device, reading.boot, reading.seq, "storage");
            } else {
                settled.stored(reading.device, reading.boot, reading.seq);
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

//! A simulated device: numbers its readings, keeps them until it has a receipt, and repeats those that get none.

use crate::boot::{Boot, LATE, nanoseconds};
use crate::cli::Run;
use crate::ledger::Entry;
use crate::run::Shared;
use rand::RngExt;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

/// A receipt as data-ingestion sends it.
#[derive(Debug, Clone, Deserialize)]
pub struct Receipt {
    /// Since which start.
    pub boot: String,
    /// Up to which number everything is settled.
    pub stored: u64,
    /// What was refused for good.
    #[serde(default)]
    pub refused: Vec<Refused>,
}

/// A number that will never be stored.
#[derive(Debug, Clone, Deserialize)]
pub struct Refused {
    /// The number.
    pub seq: u64,
}

#[derive(Debug)]
struct Waiting {
    time: i64,
    sent: Option<Instant>,
    repeats: u32,
    /// It is not what a reading should be, and only its number can be settled.
    broken: bool,
}

/// One device.
#[derive(Debug)]
pub struct Device {
    /// Its number in the ledger.
    pub number: u32,
    /// Its id.
    pub id: String,
    /// Its key.
    pub key: String,
    share: u64,
    next: u32,
    last_time: i64,
    waiting: BTreeMap<u32, Waiting>,
    shared: Arc<Shared>,
}

/// Something to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// The payload.
    pub payload: String,
    /// Its number; none for something broken.
    pub seq: Option<u32>,
}

impl Device {
    /// A device that will send `share` readings.
    pub fn new(number: u32, id: String, key: String, share: u64, shared: Arc<Shared>) -> Self {
        Self { number, id, key, share, next: 1, last_time: 0, waiting: BTreeMap::new(), shared }
    }

    /// Whether it has sent all, and has receipts for all.
    pub fn is_done(&self) -> bool {
        u64::from(self.next) > self.share && self.waiting.is_empty()
    }

    /// A new reading, if there is one to send and room for it; sometimes with what faults add.
    pub fn fresh(&mut self, options: &Run) -> Vec<Sending> {
        if u64::from(self.next) > self.share || self.waiting.len() >= options.window as usize {
            return Vec::new();
        }
        let mut random = rand::rng();
        let mut chance = |share: f64| share > 0.0 && random.random_bool(share);
        let now = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or_default().max(self.last_time + 1);
        let time = if self.last_time > 0 && chance(options.same_time) {
            self.last_time
        } else if chance(options.late) {
            now - nanoseconds(LATE)
        } else {
            self.last_time = now;
            now
        };
        let seq = self.next;
        self.next += 1;
        self.waiting.insert(seq, Waiting { time, sent: Some(Instant::now()), repeats: 0, broken: false });
        let sending = Sending { payload: self.payload(seq, time, options), seq: Some(seq) };
        let mut all = vec![sending.clone()];
        if chance(options.duplicates) {
            self.shared.counts.duplicates.fetch_add(1, Relaxed);
            all.push(sending);
        }
        if chance(options.malformed) {
            self.shared.counts.malformed.fetch_add(1, Relaxed);
            all.push(self.fresh_broken(time, options));
        }
        self.shared.counts.sent.fetch_add(1, Relaxed);
        all
    }

    /// It has a number of its own, beside the device's share, which must be settled like any other.
    fn fresh_broken(&mut self, time: i64, options: &Run) -> Sending {
        let seq = self.next;
        if options.no_receipts || seq.is_multiple_of(5) {
            return Sending { payload: ["", "{"][seq as usize % 2].to_owned(), seq: None };
        }
        (self.next, self.share) = (seq + 1, self.share + 1);
        self.waiting.insert(seq, Waiting { time, sent: Some(Instant::now()), repeats: 0, broken: true });
        Sending { payload: broken(seq, self.shared.boot), seq: Some(seq) }
    }

    /// Readings that waited too long for a receipt, at most `most`; without receipts only those that were not sent.
    pub fn repeats(&mut self, options: &Run, most: usize) -> Vec<Sending> {
        // Each time longer, up to eight times: devices that all repeat what only waits in a queue would make it grow for ever.
        let patience = |waiting: &Waiting| options.repeat_after * (1 << waiting.repeats.min(3));
        let late = |waiting: &Waiting| {
            waiting.sent.is_none_or(|sent| !options.no_receipts && sent.elapsed() > patience(waiting))
        };
        let due: Vec<(u32, i64, bool)> = self
            .waiting
            .iter()
            .filter(|(_, waiting)| late(waiting))
            .take(most)
            .map(|(seq, waiting)| (*seq, waiting.time, waiting.broken))
            .collect();
        self.shared.counts.repeats.fetch_add(due.len() as u64, Relaxed);
        let mut all = Vec::with_capacity(due.len());
        for (seq, time, is_broken) in due {
            if let Some(waiting) = self.waiting.get_mut(&seq) {
                waiting.repeats += u32::from(waiting.sent.is_some());
                waiting.sent = Some(Instant::now());
            }
            let payload = if is_broken { broken(seq, self.shared.boot) } else { self.payload(seq, time, options) };
            all.push(Sending { payload, seq: Some(seq) });
        }
        all
    }

    /// It was not sent after all.
    pub fn not_sent(&mut self, seq: Option<u32>) {
        if let Some(waiting) = seq.and_then(|seq| self.waiting.get_mut(&seq)) {
            waiting.sent = None;
        }
    }

    /// The broker has acknowledged it, and that is all a device without receipts ever hears: into the ledger.
    pub fn acknowledged(&mut self, seq: u32) {
        if let Some(waiting) = self.waiting.remove(&seq) {
            self.shared.enter(&[Entry { device: self.number, seq, time: waiting.time }]);
        }
    }

    /// Notes a receipt: what it covers goes into the ledger and is forgotten here.
    pub fn receive(&mut self, receipt: &Receipt) {
        if receipt.boot != self.shared.boot.to_string() {
            return;
        }
        self.shared.counts.receipts.fetch_add(1, Relaxed);
        let stored = u32::try_from(receipt.stored).unwrap_or(u32::MAX);
        let rest = self.waiting.split_off(&stored.saturating_add(1));
        let done = std::mem::replace(&mut self.waiting, rest);
        let refused = |seq: u32| receipt.refused.iter().any(|refused| refused.seq == u64::from(seq));
        let mut entries = Vec::with_capacity(done.len());
        for (seq, waiting) in done {
            if waiting.broken {
                self.shared.counts.broken.fetch_add(1, Relaxed);
            } else if refused(seq) {
                self.shared.counts.refused.fetch_add(1, Relaxed);
            } else {
                entries.push(Entry { device: self.number, seq, time: waiting.time });
            }
        }
        self.shared.enter(&entries);
    }

    /// The three sensors of the original boards. The gas value tells a reading from any other.
    fn payload(&self, seq: u32, time: i64, options: &Run) -> String {
        let boot = self.shared.boot;
        let number = if options.no_receipts { String::new() } else { format!(r#""seq":{seq},"boot":"{boot}","#) };
        format!(
            r#"{{"device_id":"{}","timestamp":{time},{number}"sensors":{{"ld2410":{{"presence":{},"distance":{},"energy":{}}},"pir":{{"motion_detected":{}}},"mq134":{{"gas_concentration":{},"unit":"ppm"}}}}}}"#,
            self.id,
            seq.is_multiple_of(3),
            seq % 600,
            seq % 100,
            seq.is_multiple_of(2),
            boot.value(seq),
        )
    }
}

fn broken(seq: u32, boot: Boot) -> String {
    const BROKEN: [&str; 8] = [
        r#""sensors":{"pir":{"motion_detected":NaN}}}"#,
        r#""timestamp":0,"sensors":{"pir":{"motion_detected":true}}}"#,
        r#""timestamp":1700000000,"timestamp":1700000000}"#,
        r#""timestamp":4102444800,"sensors":{"pir":{"motion_detected":true}}}"#,
        r#""timestamp":1700000000,"sensors":{"pir":{"motion_detected":[[[[[[1]]]]]]}}}"#,
        r#""timestamp":1700000000,"sensors":{"lidar":{"x":1}}}"#,
        r#""timestamp":1700000000,"sensors":{"pir":{"motion_detected":null}}}"#,
        r#""timestamp":1700000000,"sensors":{"pir":{"motion_de"#,
    ];
    format!(r#"{{"seq":{seq},"boot":"{boot}",{}"#, BROKEN[seq as usize % BROKEN.len()])
}

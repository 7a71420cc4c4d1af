//! What was measured as tables, and what is asked beside it.

use super::measure::Done;
use super::peer::Peer;
use super::usage::Usage;
use crate::table::{Table, seconds};
use std::time::Duration;

/// The measurements of a run; what was not measured is not there.
#[derive(Debug, Default)]
pub struct Figures {
    /// A queue in the broker worked off.
    pub drained: Vec<(Peer, Done)>,
    /// A thousand messages a second.
    pub steady: Vec<(Peer, Done)>,
    /// InfluxDB away.
    pub away: Vec<(Peer, Done)>,
    /// Nothing to do.
    pub idle: Vec<Idle>,
}

/// A service that has nothing to do.
#[derive(Debug, Clone, Copy)]
pub struct Idle {
    /// Which.
    pub name: &'static str,
    /// From its start until it was ready.
    pub ready_after: Duration,
    /// What it uses.
    pub used: Usage,
    /// Whether something is asked of it.
    pub ours: bool,
}

const MEBIBYTE: u64 = 1 << 20;

impl Figures {
    /// The measurements.
    pub fn tables(&self) -> String {
        let parts = [
            working("a queue of the broker", &self.drained),
            working("1,000 messages a second", &self.steady),
            working("InfluxDB away", &self.away),
            idle(&self.idle),
        ];
        parts.into_iter().flatten().map(|table| table.render() + "\n").collect()
    }

    /// What issue and design ask, beside what was measured.
    pub fn verdicts(&self) -> Table {
        let mut table = Table::new(["requirement", "asked", "measured", "verdict"]);
        let both = |list: &[(Peer, Done)]| {
            let of = |peer: Peer| list.iter().find(|(one, _)| *one == peer).map(|(_, done)| done.clone());
            of(Peer::Ours).zip(of(Peer::Telegraf))
        };
        if let Some((ours, theirs)) = both(&self.drained) {
            let ratio = theirs.each().as_secs_f64() / ours.each().as_secs_f64();
            row(
                &mut table,
                "messages per second of processor / Telegraf",
                "≥ 2 ×",
                format!("{ratio:.1} ×"),
                ratio >= 2.0,
            );
            half(&mut table, "memory / Telegraf, working off a queue", &ours, &theirs);
        }
        if let Some((ours, theirs)) = both(&self.steady) {
            let ratio = theirs.each().as_secs_f64() / ours.each().as_secs_f64();
            let name = "the same at 1,000 messages a second";
            row(&mut table, name, "≥ 2 ×", format!("{ratio:.1} ×"), ratio >= 2.0);
            half(&mut table, "memory / Telegraf, at 1,000 messages a second", &ours, &theirs);
            let (mine, other) = (ours.delay(0.99), theirs.delay(0.99));
            let asked = format!("< {}", seconds(other));
            row(&mut table, "99 % of delays, Telegraf's", &asked, seconds(mine), mine < other);
            most(&mut table, "memory at 1,000 messages a second", 32, ours.used.peak_bytes);
        }
        if let Some((ours, theirs)) = both(&self.away) {
            half(&mut table, "memory / Telegraf, InfluxDB away", &ours, &theirs);
        }
        for idle in self.idle.iter().filter(|idle| idle.ours) {
            most(&mut table, &format!("{}: idle memory", idle.name), 16, idle.used.resident_bytes);
            let name = format!("{}: ready after", idle.name);
            let limit = Duration::from_millis(200);
            row(&mut table, &name, "< 200 ms", seconds(idle.ready_after), idle.ready_after < limit);
        }
        table
    }
}

fn working(title: &str, rows: &[(Peer, Done)]) -> Option<Table> {
    let heads = [
        title,
        "µs of processor a message",
        "of Redis",
        "messages a second",
        "delay 50 %",
        "99 %",
        "points a write",
        "memory now",
        "most",
    ];
    let mut table = Table::new(heads);
    for (peer, done) in rows {
        table.add([
            peer.name().to_owned(),
            micros(done.each()),
            micros(done.redis_each()),
            format!("{:.0}", done.messages as f64 / done.took.as_secs_f64()),
            seconds(done.delay(0.5)),
            seconds(done.delay(0.99)),
            format!("{:.0}", done.seen.delays.len() as f64 / done.seen.writes.max(1) as f64),
            mebibytes(done.used.resident_bytes),
            mebibytes(done.used.peak_bytes),
        ]);
    }
    (!rows.is_empty()).then_some(table)
}

fn idle(services: &[Idle]) -> Option<Table> {
    let mut table = Table::new(["nothing to do", "ready after", "memory"]);
    for service in services {
        table.add([service.name.to_owned(), seconds(service.ready_after), mebibytes(service.used.resident_bytes)]);
    }
    (!services.is_empty()).then_some(table)
}

fn half(table: &mut Table, name: &str, ours: &Done, theirs: &Done) {
    let ratio = ours.used.peak_bytes as f64 / theirs.used.peak_bytes as f64;
    row(table, name, "≤ 0.50 ×", format!("{ratio:.2} ×"), ratio <= 0.5);
}

fn most(table: &mut Table, name: &str, limit: u64, bytes: u64) {
    row(table, name, &format!("< {limit} MB"), mebibytes(bytes), bytes < limit * MEBIBYTE);
}

fn row(table: &mut Table, name: &str, asked: &str, measured: String, met: bool) {
    table.add([name.to_owned(), asked.to_owned(), measured, if met { "meets" } else { "misses" }.to_owned()]);
}

fn micros(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64() * 1e6)
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / MEBIBYTE as f64)
}

#[cfg(test)]
mod tests {
    use super::super::tap::Seen;
    use super::*;

    fn done(micros: u64, mebibytes: u64, delay: u64) -> Done {
        let used = Usage {
            processor: Duration::from_micros(1_000 * micros),
            resident_bytes: mebibytes * MEBIBYTE,
            peak_bytes: mebibytes * MEBIBYTE,
        };
        let seen = Seen { delays: vec![Duration::from_millis(delay); 1_000], writes: 10 };
        Done { messages: 1_000, took: Duration::from_secs(1), used, redis: Usage::default(), seen }
    }

    #[test]
    fn a_requirement_is_met_or_missed() {
        let figures = Figures {
            drained: vec![(Peer::Ours, done(9, 12, 5)), (Peer::Telegraf, done(20, 34, 9))],
            steady: vec![(Peer::Ours, done(9, 33, 9)), (Peer::Telegraf, done(17, 34, 9))],
            ..Figures::default()
        };
        let text = figures.verdicts().render();
        let verdicts: Vec<&str> =
            text.lines().skip(2).filter_map(|line| line.split('|').nth(4)).map(str::trim).collect();
        assert_eq!(verdicts, ["meets", "meets", "misses", "misses", "misses", "misses"], "{text}");
        assert!(figures.tables().contains("| data-ingestion"), "{}", figures.tables());
    }
}

//! What the design asks for, beside what was measured.

use crate::catalogue::Catalogue;
use crate::peer::Peer;
use crate::row::Measured;
use crate::samples::Samples;
use crate::table::{Table, seconds, times};
use crate::work::Work;
use std::time::Duration;

/// How many times as long as ours ansible-core has to take.
const AHEAD: f64 = 10.0;

/// How many times as long as the floor ours may take.
const NEAR: f64 = 1.25;

/// What a run of three tasks may take on top of connecting.
const EXTRA: Duration = Duration::from_millis(50);

/// How many times as long as ours `ansible-vault view` has to take for a file of 1 MB.
const VAULT_AHEAD: f64 = 5.0;

/// How many times as long as ours Helm has to take for the whole catalogue.
const CATALOGUE_AHEAD: f64 = 3.0;

/// The requirement for showing an encrypted file, ours beside `ansible-vault`.
pub fn vault_verdict(ours: &Samples, theirs: &Samples) -> Table {
    let mut table = Table::new(COLUMNS);
    let medians = theirs.median().zip(ours.median());
    let ratio = medians.map(|(theirs, ours)| theirs.as_secs_f64() / ours.as_secs_f64());
    add(&mut table, "1 MB vault file: ansible-vault view / cluster".to_owned(), "≥", VAULT_AHEAD, ratio);
    table
}

/// The requirement for the whole catalogue, ours beside Helm's turns one after the other.
pub fn catalogue_verdict(measured: &Catalogue) -> Table {
    let mut table = Table::new(COLUMNS);
    let name = format!("{} services: helm, one after the other / cluster deploy --all", measured.services);
    let ratio = measured.helm.as_secs_f64() / measured.ours.as_secs_f64();
    add(&mut table, name, "≥", CATALOGUE_AHEAD, Some(ratio));
    table
}

const COLUMNS: [&str; 4] = ["requirement", "asked", "measured", "verdict"];

/// A line for each requirement: what is asked, what was measured, `meets` or `misses`.
pub fn verdicts(rows: &[(Work, Measured)]) -> Table {
    let mut table = Table::new(COLUMNS);
    for (work, measured) in rows {
        if work.is_short() {
            add_connect(&mut table, work.name, measured);
        } else {
            let ratio = measured.ratio(Peer::AnsibleCore, Peer::Ours);
            add(&mut table, format!("{}: ansible-core / cluster", work.name), "≥", AHEAD, ratio);
        }
    }
    for (work, measured) in rows {
        let ratio = measured.ratio(Peer::Ours, Peer::Floor);
        add(&mut table, format!("{}: cluster / floor (aim)", work.name), "≤", NEAR, ratio);
    }
    table
}

/// Where connecting is most of the time, it is what ours is compared with.
fn add_connect(table: &mut Table, name: &str, measured: &Measured) {
    let asked = measured.median(Peer::Connect).map(|connect| connect.mul_f64(NEAR) + EXTRA);
    let ours = measured.median(Peer::Ours);
    table.add([
        format!("{name}: connecting × {NEAR} + {} ms", EXTRA.as_millis()),
        asked.map_or_else(none, |asked| format!("≤ {}", seconds(asked))),
        ours.map_or_else(none, seconds),
        verdict(ours.zip(asked).map(|(ours, asked)| ours <= asked)),
    ]);
}

fn add(table: &mut Table, name: String, sign: &str, asked: f64, ratio: Option<f64>) {
    let met = ratio.map(|ratio| if sign == "≥" { ratio >= asked } else { ratio <= asked });
    table.add([name, format!("{sign} {}", times(asked)), ratio.map_or_else(none, times), verdict(met)]);
}

fn verdict(met: Option<bool>) -> String {
    match met {
        Some(true) => "meets",
        Some(false) => "misses",
        None => "not measured",
    }
    .to_owned()
}

fn none() -> String {
    "–".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(milliseconds: &[(Peer, u64)]) -> Measured {
        let samples = |value: &u64| -> Samples { [Duration::from_millis(*value)].into_iter().collect() };
        let first = milliseconds.iter().map(|(peer, value)| (*peer, samples(value))).collect();
        Measured { first, ..Measured::default() }
    }

    #[test]
    fn a_requirement_is_met_or_missed() {
        let [short, long, _] = Work::all();
        let three = measured(&[(Peer::Connect, 100), (Peer::Ours, 175), (Peer::Floor, 110)]);
        let many = measured(&[(Peer::AnsibleCore, 9_900), (Peer::Ours, 1_000), (Peer::Floor, 900)]);
        let text = verdicts(&[(short, three), (long, many)]).render();
        let verdicts: Vec<_> = text.lines().skip(2).filter_map(|line| line.split('|').nth(4)).map(str::trim).collect();
        assert_eq!(verdicts, ["meets", "misses", "misses", "meets"], "{text}");
    }

    #[test]
    fn a_vault_file_is_shown_fast_enough_or_not() {
        let samples = |value: u64| -> Samples { [Duration::from_millis(value)].into_iter().collect() };
        assert!(vault_verdict(&samples(100), &samples(500)).render().contains("meets"));
        assert!(vault_verdict(&samples(100), &samples(490)).render().contains("misses"));
    }

    #[test]
    fn what_was_not_measured_is_neither() {
        let [short, ..] = Work::all();
        let text = verdicts(&[(short, measured(&[(Peer::Ours, 1)]))]).render();
        assert_eq!(text.matches("not measured").count(), 2, "{text}");
    }
}

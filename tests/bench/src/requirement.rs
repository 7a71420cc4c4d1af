//! What the design asks for, beside what was measured.

use crate::peer::Peer;
use crate::row::Measured;
use crate::table::{Table, seconds, times};
use std::time::Duration;

/// How many times as long as ours ansible-core has to take.
const AHEAD: f64 = 10.0;

/// How many times as long as the floor ours may take.
const NEAR: f64 = 1.25;

/// What a run of three tasks may take on top of connecting.
const EXTRA: Duration = Duration::from_millis(50);

/// A line for each requirement: what is asked, what was measured, `meets` or `misses`.
pub fn verdicts(three: &Measured, others: &[(&str, &Measured)]) -> Table {
    let mut table = Table::new(["requirement", "asked", "measured", "verdict"]);
    let connect = three.median(Peer::Connect).zip(three.median(Peer::Ours));
    let asked = connect.map(|(connect, _)| connect.mul_f64(NEAR) + EXTRA);
    table.add([
        "3 tasks: connecting × 1.25 + 50 ms".to_owned(),
        asked.map_or_else(none, |asked| format!("≤ {}", seconds(asked))),
        connect.map_or_else(none, |(_, ours)| seconds(ours)),
        verdict(connect.zip(asked).map(|((_, ours), asked)| ours <= asked)),
    ]);
    for (name, measured) in others {
        let ratio = measured.ratio(Peer::AnsibleCore, Peer::Ours);
        add(&mut table, format!("{name}: ansible-core / cluster"), "≥", AHEAD, ratio);
    }
    for (name, measured) in std::iter::once(&("3 tasks, 1 host", three)).chain(others) {
        let ratio = measured.ratio(Peer::Ours, Peer::Floor);
        add(&mut table, format!("{name}: cluster / floor (aim)"), "≤", NEAR, ratio);
    }
    table
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
    use crate::samples::Samples;

    fn measured(milliseconds: &[(Peer, u64)]) -> Measured {
        let samples = |value: &u64| -> Samples { [Duration::from_millis(*value)].into_iter().collect() };
        let first = milliseconds.iter().map(|(peer, value)| (*peer, samples(value))).collect();
        Measured { first, ..Measured::default() }
    }

    #[test]
    fn a_requirement_is_met_or_missed() {
        let three = measured(&[(Peer::Connect, 100), (Peer::Ours, 175), (Peer::Floor, 110)]);
        let many = measured(&[(Peer::AnsibleCore, 9_900), (Peer::Ours, 1_000), (Peer::Floor, 900)]);
        let text = verdicts(&three, &[("100 tasks", &many)]).render();
        let verdicts: Vec<_> = text.lines().skip(2).filter_map(|line| line.split('|').nth(4)).map(str::trim).collect();
        assert_eq!(verdicts, ["meets", "misses", "misses", "meets"], "{text}");
    }

    #[test]
    fn what_was_not_measured_is_neither() {
        let text = verdicts(&measured(&[(Peer::Ours, 1)]), &[]).render();
        assert_eq!(text.matches("not measured").count(), 2, "{text}");
    }
}

//! One row of the table: the same work by each peer, in turn.

use crate::machine::Machine;
use crate::outcome;
use crate::peer::Peer;
use crate::samples::Samples;
use crate::work::Work;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often the quick ones run for each run of a slow one.
const QUICK_RUNS: usize = 3;

/// What was measured for one piece of work.
#[derive(Debug, Default)]
pub struct Measured {
    /// Runs that changed everything.
    pub first: BTreeMap<Peer, Samples>,
    /// Runs that found everything done.
    pub again: BTreeMap<Peer, Samples>,
}

impl Measured {
    /// The median of the runs that changed everything.
    pub fn median(&self, peer: Peer) -> Option<Duration> {
        self.first.get(&peer)?.median()
    }

    /// How many times as long as another one a peer takes.
    pub fn ratio(&self, peer: Peer, other: Peer) -> Option<f64> {
        Some(self.median(peer)?.as_secs_f64() / self.median(other)?.as_secs_f64())
    }
}

/// Measures `peers` in turn, `rounds` times. `tell` hears what is being done.
pub fn measure(
    machine: &Machine,
    work: &Work,
    peers: &[Peer],
    rounds: usize,
    mut tell: impl FnMut(&str),
) -> Result<Measured> {
    machine.prepare(work)?;
    let mut measured = Measured::default();
    let (slow, quick): (Vec<Peer>, Vec<Peer>) = peers.iter().partition(|peer| peer.is_slow());
    for round in 1..=rounds {
        tell(&format!("{}, round {round} of {rounds}", work.name));
        for peer in slow.iter().chain((0..QUICK_RUNS).flat_map(|_| &quick)) {
            one(machine, work, *peer, &mut measured)
                .with_context(|| format!("{} does not do `{}`", peer.name(), work.name))?;
        }
    }
    Ok(measured)
}

/// A run that changes everything, and one that finds everything done.
fn one(machine: &Machine, work: &Work, peer: Peer, measured: &mut Measured) -> Result<()> {
    machine.clear(work)?;
    machine.disconnect();
    let ran = peer.run(machine, work)?;
    measured.first.entry(peer).or_default().add(ran.duration);
    if peer == Peer::Connect {
        return Ok(());
    }
    let seen = outcome::check(machine, work).context("after the first run")?;
    if peer.reports() {
        outcome::check_recap(&ran.text, work, work.steps.len())?;
    }
    machine.disconnect();
    let ran = peer.run(machine, work)?;
    measured.again.entry(peer).or_default().add(ran.duration);
    ensure!(outcome::check(machine, work)? == seen, "the second run touched files");
    if peer.reports() {
        outcome::check_recap(&ran.text, work, 0)?;
    }
    Ok(())
}

//! Slots: client ids leased in Redis. The broker keeps the messages of a session that is away until its client id comes back,
//! so when a replica dies, a survivor takes its slot, empties the session and ends it.

use super::client::Options;
use super::session::{Role, Session};
use crate::bounds::at_most;
use crate::intake::Intake;
use crate::receipts::Receipts;
use crate::stream::Stream;
use service::Shutdown;
use service::config::{Environment, Invalid};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often leases are renewed and orphans looked for.
const BEAT: Duration = Duration::from_secs(1);
/// What MQTT 5 may add to what the broker counts against its `max_packet_size`.
const HEAD_BYTES: usize = 1024;
/// How long a slot must have been without an owner, a little less than from one beat to the next. When Redis comes back after
/// longer than a lease, nobody has one: the living get the time to renew theirs, or they would take each other's sessions.
const ORPHANED: Duration = Duration::from_millis(900);

/// The settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the broker is.
    pub broker: service::mqtt::Settings,
    /// `MQTT_SHARE`: the name of the shared subscription, and what client ids begin with.
    pub share: String,
    /// `MQTT_IN_FLIGHT`
    pub in_flight: u16,
    /// `MQTT_LINGER`
    pub linger: Duration,
    /// `MQTT_SLOTS`: most replicas.
    pub slots: u16,
    /// `MQTT_SLOT_LEASE`
    pub lease: Duration,
}

impl Settings {
    /// Reads the variables.
    ///
    /// # Errors
    /// Noted in `environment`.
    pub fn read(environment: &mut Environment) -> Result<Self, Invalid> {
        let broker = service::mqtt::Settings::read(environment);
        let share = environment
            .variable("MQTT_SHARE", "name of the shared subscription; client ids are `<name>-<slot>`")
            .default::<String>("ingestion");
        let in_flight = environment
            .variable(
                "MQTT_IN_FLIGHT",
                "most messages that wait for our answer; Mosquitto's `max_inflight_messages` bounds it too",
            )
            .within(1, 10_000)
            .default(256);
        let linger = environment
            .variable(
                "MQTT_LINGER",
                "how long a few messages wait for more, as all that are read together share a sync of Redis",
            )
            .default("15ms");
        let linger = at_most(environment, "MQTT_LINGER", linger, Duration::from_secs(10));
        let slots = environment.variable("MQTT_SLOTS", "most replicas").within(1, 1000).default(16);
        let lease = environment
            .variable("MQTT_SLOT_LEASE", "how long a silent replica keeps its session before another takes it over")
            .at_least(2 * BEAT)
            .default("3s");
        let share = share?;
        if share.is_empty() || !share.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            return Err(environment.mistake(
                "MQTT_SHARE",
                "has other characters than letters, digits, `-` and `_`",
                None,
            ));
        }
        Ok(Self { broker: broker?, share, in_flight: in_flight?, linger: linger?, slots: slots?, lease: lease? })
    }
}

/// What the sessions of a replica need.
struct Replica {
    settings: Settings,
    intake: Intake,
    receipts: Receipts,
    token: String,
    /// Slots that we drain.
    draining: Arc<Mutex<HashSet<u16>>>,
    /// Slots without an owner, and since when we see them so.
    orphans: Arc<Mutex<HashMap<u16, Instant>>>,
}

/// Serves one slot, and drains those of the dead, until the shutdown.
///
/// # Errors
/// Never; what is away is waited for.
pub async fn run(
    settings: Settings,
    intake: Intake,
    receipts: Receipts,
    token: String,
    shutdown: Shutdown,
) -> Result<(), std::convert::Infallible> {
    let (draining, orphans) = Default::default();
    let replica = Arc::new(Replica { settings, intake, receipts, token, draining, orphans });
    while !shutdown.begun() {
        let Some(slot) = replica.acquire(&shutdown).await else { break };
        tracing::info!(slot, "serves a slot");
        metrics::gauge!("ingestion_slot").set(f64::from(slot));
        replica.clone().serve(slot, &shutdown).await;
    }
    Ok(())
}

impl Replica {
    fn stream(&self) -> &Stream {
        &self.intake.stream
    }

    /// The lowest slot that is free. `None`: the shutdown has begun.
    async fn acquire(&self, shutdown: &Shutdown) -> Option<u16> {
        let mut told = false;
        loop {
            let orphans = self.stream().orphaned_slots().await.unwrap_or_default();
            // Better a session that is there already than another one, so its owner's time is waited for.
            let all = if self.long_orphaned(orphans.clone()).len() < orphans.len() { 0 } else { self.settings.slots };
            for slot in 0..all {
                // One that we drain has our token already, but its session ends.
                if self.draining.lock().unwrap_or_else(PoisonError::into_inner).contains(&slot) {
                    continue;
                }
                match self.stream().lease(slot, &self.token, self.settings.lease).await {
                    Ok(true) => return Some(slot),
                    Ok(false) => {}
                    Err(error) => {
                        if !std::mem::replace(&mut told, true) {
                            tracing::warn!(%error, "no slot can be leased");
                        }
                        break;
                    }
                }
            }
            tokio::select! { () = shutdown.wait() => return None, () = tokio::time::sleep(BEAT / 4) => {} }
        }
    }

    fn session(&self, slot: u16, role: Role) -> Session {
        let prefix = &self.settings.broker.prefix;
        Session {
            options: Options {
                broker: self.settings.broker.clone(),
                client_id: format!("{}-{slot}", self.settings.share),
                in_flight: self.settings.in_flight,
                linger: self.settings.linger,
                // Twice the longest payload: what is too long must arrive to be refused with a reason. And a little more, as
                // the broker counts otherwise: what is longer than we say, it acknowledges and drops.
                packet_bytes: u32::try_from(2 * self.intake.bounds.payload_bytes + HEAD_BYTES).unwrap_or(u32::MAX),
            },
            filter: format!("$share/{}/{}", self.settings.share, prefix.everything_up()),
            role,
            intake: self.intake.clone(),
            receipts: self.receipts.clone(),
            stop: Shutdown::default(),
        }
    }

    /// Serves a slot until the shutdown begins or the slot is lost.
    async fn serve(self: Arc<Self>, slot: u16, shutdown: &Shutdown) {
        let session = self.session(slot, Role::Serve);
        let stop = session.stop.clone();
        let running = tokio::spawn(session.run());
        let mut renewed = Instant::now();
        let mut beat = tokio::time::interval(BEAT);
        loop {
            tokio::select! {
                () = shutdown.wait() => break,
                _ = beat.tick() => {}
            }
            let before = renewed;
            if !self.keeps(slot, &mut renewed).await {
                break;
            }
            if renewed > before {
                let _ = tokio::time::timeout(BEAT, Arc::clone(&self).adopt()).await;
            }
        }
        stop.begin();
        let _ = running.await;
        if shutdown.begun() {
            let _ = self.stream().release(slot, &self.token, false).await;
        }
    }

    /// Renews a lease, which was asked for at `renewed`; whether the slot is still ours. When the lease has run out it is not,
    /// whoever is to blame: another replica may reach a Redis that we do not, and two would throw each other out of the session.
    async fn keeps(&self, slot: u16, renewed: &mut Instant) -> bool {
        let (asked, end) = (Instant::now(), *renewed + self.settings.lease);
        let lease = self.stream().lease(slot, &self.token, self.settings.lease);
        match tokio::time::timeout_at(end.into(), lease).await {
            Ok(Ok(true)) => {
                *renewed = asked;
                return true;
            }
            Ok(Ok(false)) => tracing::warn!(slot, "the slot was taken over"),
            Ok(Err(error)) if Instant::now() < end => {
                tracing::warn!(slot, %error, "the lease is not renewed");
                return true;
            }
            _ => tracing::warn!(slot, "the slot is given up: its lease has run out"),
        }
        false
    }

    /// Takes over the sessions of dead replicas.
    async fn adopt(self: Arc<Self>) {
        let orphans = self.stream().orphaned_slots().await;
        for slot in self.long_orphaned(orphans.unwrap_or_default()) {
            let new = self.draining.lock().unwrap_or_else(PoisonError::into_inner).insert(slot);
            if !new {
                continue;
            }
            let replica = Arc::clone(&self);
            tokio::spawn(async move {
                if matches!(replica.stream().lease(slot, &replica.token, replica.settings.lease).await, Ok(true)) {
                    replica.drain(slot).await;
                }
                replica.draining.lock().unwrap_or_else(PoisonError::into_inner).remove(&slot);
            });
        }
    }

    /// Those that were without an owner all the time, each time we looked.
    fn long_orphaned(&self, now: Vec<u16>) -> Vec<u16> {
        let mut known = self.orphans.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|slot, _| now.contains(slot));
        now.iter().for_each(|slot| {
            known.entry(*slot).or_insert_with(Instant::now);
        });
        known.iter().filter(|(_, since)| since.elapsed() >= ORPHANED).map(|(slot, _)| *slot).collect()
    }

    async fn drain(&self, slot: u16) {
        tracing::info!(slot, "takes over the session of a dead replica");
        metrics::counter!("ingestion_slots_taken_over_total").increment(1);
        let session = self.session(slot, Role::Drain);
        let stop = session.stop.clone();
        let mut running = tokio::spawn(session.run());
        let mut renewed = Instant::now();
        let mut beat = tokio::time::interval(BEAT);
        let drained = loop {
            tokio::select! {
                drained = &mut running => break drained.unwrap_or(false),
                _ = beat.tick() => {}
            }
            if !stop.begun() && !self.keeps(slot, &mut renewed).await {
                stop.begin();
            }
        };
        if drained {
            tracing::info!(slot, "the session is empty and ended");
            let _ = self.stream().release(slot, &self.token, true).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_longer_than_it_takes_to_renew_it() {
        let mut environment = Environment::of([("MQTT_HOST", "mosquitto"), ("MQTT_SLOT_LEASE", "1s")]);
        assert!(Settings::read(&mut environment).is_err());
        let mistakes: Vec<String> = environment.mistakes().iter().map(ToString::to_string).collect();
        assert_eq!(mistakes, ["error: `MQTT_SLOT_LEASE` is `1s`, shorter than 2s"]);
    }
}

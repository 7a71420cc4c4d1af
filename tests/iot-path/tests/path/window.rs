//! What plain QoS 1 loses when the broker is killed: Mosquitto acknowledges before it has saved. Receipts close this window;
//! here it is measured.

use crate::servers::{Killer, Servers, Victim, pass};
use crate::simulation::{say, setting};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Readings that were acknowledged and are not in InfluxDB, however long one waits: longer than any takeover.
fn lost(servers: &Servers) -> (u64, Value) {
    let (begun, mut missing, mut since) = (Instant::now(), u64::MAX, Instant::now());
    loop {
        let found = servers.compare();
        let now = found["missing"].as_u64().expect("a number");
        if now < missing {
            (missing, since) = (now, Instant::now());
        }
        if found["equal"] == true || since.elapsed() > Duration::from_secs(12) {
            return (now, found);
        }
        assert!(begun.elapsed() < Duration::from_secs(300), "{found}\n{}", servers.logs());
        pass(Duration::from_secs(1));
    }
}

/// Kills the broker `kills` times while devices send; in `backlog` both replicas are away for a second before each kill, so
/// that messages wait in the broker.
fn measure(configuration: &str, kills: u32, backlog: bool) -> (u64, String) {
    let (devices, rate) = (50, setting("WINDOW_RATE", 1000));
    let mut servers = Servers::start(configuration);
    servers.provision(devices);
    let each = if backlog { 9 } else { 5 };
    let messages = rate * u64::from(kills * each);
    let arguments = format!("--no-receipts --transport mqtt,mqtt4 --messages {messages} --rate {rate} --timeout 600");
    let simulation = servers.simulate(devices, &arguments);
    for _ in 0..kills {
        pass(Duration::from_millis(2_500));
        if backlog {
            (0..2).for_each(|replica| servers.kill(Victim::Ingestion(replica)));
            pass(Duration::from_millis(1_500));
        }
        servers.kill(Victim::Mosquitto);
        pass(Duration::from_millis(300));
        servers.restart(Victim::Mosquitto);
        if backlog {
            (0..2).for_each(|replica| servers.restart(Victim::Ingestion(replica)));
        }
    }
    let summary = simulation.complete(&servers);
    let (lost, found) = lost(&servers);
    assert_eq!((&found["twice"], &found["wrong"]), (&0.into(), &0.into()), "{found}");
    let settings = if configuration.is_empty() { "autosave_interval 1800 (default)" } else { configuration.trim() };
    let settings = settings.replace('\n', ", ");
    let waiting = if backlog { "1.5 s of messages waiting" } else { "nothing waiting" };
    let told = format!(
        "{settings}; {waiting}; {kills} kills at {rate}/s: {lost} of {messages} acknowledged readings lost, {:.1} a kill; \
         {} acknowledged with `no matching subscribers`",
        lost as f64 / f64::from(kills),
        summary["unheard"]
    );
    (lost, told)
}

#[test]
#[ignore = "a measurement of some minutes: `make soak` makes it"]
fn the_loss_window_of_a_killed_broker() {
    let kills = u32::try_from(setting("WINDOW_KILLS", 10)).expect("a number of kills");
    for backlog in [false, true] {
        for settings in ["", "autosave_interval 1\n", "autosave_interval 1\nautosave_on_changes true\n"] {
            say(&measure(settings, kills, backlog).1);
        }
    }
}

/// The other half of the statement: with receipts the very same kills lose nothing.
#[test]
fn receipts_close_the_window() {
    let devices = 20;
    let mut servers = Servers::start("");
    servers.provision(devices);
    let simulation =
        servers.simulate(devices, "--messages 4000 --rate 600 --transport mqtt,mqtt4 --repeat-after 3 --timeout 120");
    let mut killer = Killer::new(3, &[Victim::Mosquitto], 500..1_500);
    while !simulation.is_over() {
        killer.strike(&mut servers);
    }
    simulation.complete(&servers);
    assert!(killer.all() >= 3, "{}", killer.told());
    servers.must_be_equal(4000, Duration::ZERO);
}

//! Everything is killed at random, and nothing is lost or doubled.

use crate::servers::{Killer, SAVED_EACH_SECOND, Servers, Victim};
use crate::simulation::{say, setting};
use std::time::Duration;

struct Size {
    devices: u32,
    messages: u64,
    seed: u64,
    timeout: u64,
    rate: u64,
    repeat_after: u64,
    pause: std::ops::Range<u64>,
}

/// Short within `cargo test`; `make soak` asks for a million.
fn size() -> Size {
    let messages = setting("SOAK_MESSAGES", 9_000);
    let long = messages > 100_000;
    Size {
        devices: u32::try_from(setting("SOAK_DEVICES", if long { 200 } else { 30 })).expect("a number of devices"),
        messages,
        seed: setting("SOAK_SEED", 7),
        // As slow as 100 readings a second would still be in time.
        timeout: 120 + messages / 100,
        // Below what the path takes on two cores: what waits in queues for long is sent again, and proves nothing more.
        rate: setting("SOAK_RATE", if long { 1000 } else { 600 }),
        repeat_after: if long { 20 } else { 4 },
        pause: if long { 2_000..8_000 } else { 300..1_200 },
    }
}

#[test]
fn with_receipts_nothing_is_lost_or_doubled_while_everything_is_killed_at_random() {
    let size = size();
    let mut servers = Servers::start(SAVED_EACH_SECOND);
    let provisioned = servers.provision(size.devices);
    // 300 a device: more than the places in time that Redis remembers of it, so that some are forgotten and asked for again.
    let arguments = format!(
        "--messages {} --rate {} --transport mqtt,mqtt4 --duplicates 0.02 --same-time 0.05 --late 0.01 --reconnects 0.005 \
         --repeat-after {} --window 400 --timeout {}",
        size.messages, size.rate, size.repeat_after, size.timeout
    );
    let simulation = servers.simulate(size.devices, &arguments);
    let mut killer = Killer::new(size.seed, &Victim::ALL, size.pause);
    while !simulation.is_over() {
        killer.strike(&mut servers);
    }
    let summary = simulation.complete(&servers);
    assert!(killer.kills.values().all(|kills| *kills > 0), "not everybody was killed: {}", killer.told());
    // Not a moment of patience: what has a receipt is there.
    let found = servers.must_be_equal(size.messages, Duration::ZERO);
    let restored = servers.broker.restored();
    say(&format!(
        "{}, seed {}, store of accounts torn {restored} times; {provisioned}; {summary}; {found}",
        killer.told(),
        size.seed
    ));
    the_comparison_can_fail(&servers, size.messages);
}

/// One point taken away, one put in twice, one that nobody has a receipt for, one of no run, one changed: each is found.
fn the_comparison_can_fail(servers: &Servers, messages: u64) {
    let time = servers.influx.query("SELECT time, concentration_ppm FROM mq134_gas WHERE device_id = 'sim-3' LIMIT 1");
    let time = time.lines().nth(1).and_then(|line| line.split(',').nth(2)).expect("a reading").to_owned();
    let point = servers.influx.query(&format!("SELECT * FROM mq134_gas WHERE device_id = 'sim-3' AND time = {time}"));
    let value = point.lines().nth(1).and_then(|line| line.split(',').nth(3)).expect("its value").to_owned();

    servers.influx.query(&format!("DELETE FROM mq134_gas WHERE device_id = 'sim-3' AND time = {time}"));
    let found = servers.compare();
    assert_eq!((&found["equal"], &found["missing"]), (&false.into(), &1.into()), "{found}");
    servers.influx.write(&format!("mq134_gas,device_id=sim-3 concentration_ppm={value} {time}"));
    assert_eq!(servers.compare()["found"], messages);

    let twice: i64 = time.parse::<i64>().expect("a time") + 1_000_003;
    servers.influx.write(&format!("mq134_gas,device_id=sim-3 concentration_ppm={value} {twice}"));
    let found = servers.compare();
    assert_eq!((&found["equal"], &found["twice"]), (&false.into(), &1.into()), "{found}");
    servers.influx.query(&format!("DELETE FROM mq134_gas WHERE device_id = 'sim-3' AND time = {twice}"));

    let unheard = value.parse::<u64>().expect("a whole number") + 900_000;
    for value in [unheard, 7] {
        servers.influx.write(&format!("mq134_gas,device_id=sim-3 concentration_ppm={value} {twice}"));
        let found = servers.compare();
        assert_eq!((&found["equal"], &found["without_receipt"]), (&false.into(), &1.into()), "{found}");
    }
    servers.influx.query(&format!("DELETE FROM mq134_gas WHERE device_id = 'sim-3' AND time = {twice}"));

    servers.influx.write(&format!("ld2410_presence,device_id=sim-3 distance_cm=599.5 {time}"));
    let found = servers.compare();
    assert_eq!((&found["equal"], &found["unpaired"]), (&false.into(), &1.into()), "{found}");
}

#[test]
fn with_plain_qos_1_nothing_is_lost_while_the_broker_lives() {
    let size = size();
    let mut servers = Servers::start("");
    servers.provision(size.devices);
    let arguments = format!(
        "--no-receipts --qos 1 --messages {} --rate {} --transport mqtt,mqtt4 --duplicates 0.02 --reconnects 0.01 --timeout {}",
        size.messages, size.rate, size.timeout
    );
    let simulation = servers.simulate(size.devices, &arguments);
    let others: Vec<Victim> = Victim::ALL.into_iter().filter(|victim| *victim != Victim::Mosquitto).collect();
    let mut killer = Killer::new(size.seed, &others, size.pause);
    while !simulation.is_over() {
        killer.strike(&mut servers);
    }
    let summary = simulation.complete(&servers);
    assert!(killer.all() >= others.len(), "{}", killer.told());
    // What the broker has acknowledged is still on its way.
    let found = servers.must_be_equal(size.messages, Duration::from_secs(60));
    say(&format!("plain QoS 1: {}, seed {}; {summary}; {found}", killer.told(), size.seed));
}

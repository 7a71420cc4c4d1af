//! Places and receipts, by a real Redis: what its scripts promise.

use super::{Place, Receipt, Settings, Settled, Stream};
use crate::reading::Stored;
use iot_support::Redis;
use service::config::Environment;

const DEVICE: &str = "esp-1";
const BEGIN: i64 = 1_700_000_000_000_000_000;
const SECOND: i64 = 1_000_000_000;

struct Server {
    redis: Redis,
    stream: Stream,
}

impl Server {
    fn start() -> Self {
        // Nothing here is about the disk.
        let redis = Redis::start_with(&["--appendonly", "no"]);
        let settings = Settings::read(&mut Environment::of(redis.variables())).unwrap();
        Self { redis, stream: Stream::new(settings).unwrap() }
    }

    async fn places(&self, measurements: &str, readings: &[Stored<'_>]) -> Vec<Place> {
        let asked: Vec<(&Stored<'_>, String)> =
            readings.iter().map(|reading| (reading, measurements.to_owned())).collect();
        self.stream.places(&asked).await.unwrap()
    }

    async fn place(&self, measurements: &str, reading: Stored<'_>) -> Place {
        self.places(measurements, &[reading]).await.remove(0)
    }

    async fn settle(&self, readings: &[Stored<'_>]) -> Option<Receipt> {
        let mut settled = Settled::default();
        readings.iter().for_each(|reading| settled.add(reading, None));
        let receipts = self.stream.settle(&[], &[], &mut settled).await.unwrap();
        receipts.into_iter().next().map(|(_, receipt)| receipt)
    }

    async fn stored(&self, readings: &[Stored<'_>]) -> u64 {
        self.settle(readings).await.expect("a receipt").stored
    }

    /// A reading that goes all the way.
    async fn store(&self, reading: Stored<'_>) -> Place {
        let place = self.place("pir", reading).await;
        self.settle(&[reading]).await;
        place
    }

    fn calls(&self, command: &str) -> u64 {
        let statistics = self.redis.command(&["INFO", "commandstats"]);
        let line = statistics.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
        line.and_then(|rest| rest.split(',').next()?.parse().ok()).unwrap_or_default()
    }
}

fn reading(seq: u64, time: i64) -> Stored<'static> {
    Stored { device: DEVICE, boot: "b", seq, time, ..Stored::default() }
}

fn moved(time: i64) -> Place {
    Place::Moved(vec![time])
}

#[tokio::test]
async fn who_counts_from_1_again_under_the_same_boot_loses_nothing() {
    let server = Server::start();
    let old = |seq: u64| reading(seq, BEGIN + seq as i64 * SECOND);
    for from in 0..40 {
        let part: Vec<Stored<'_>> = (from * 10 + 1..=from * 10 + 10).map(old).collect();
        assert_eq!(server.places("pir", &part).await, vec![Place::Own; 10]);
        server.settle(&part).await;
    }
    // Repeats: of what is remembered, and of what is older than that.
    assert_eq!(server.places("pir", &[old(400), old(1)]).await, [Place::Settled, Place::Settled]);
    assert!(server.redis.command(&["HLEN", "times:esp-1"]).parse::<u32>().unwrap() < 200);
    // The device has started anew and does not say so. All its numbers are settled, but these are other readings.
    let new = |seq: u64| reading(seq, BEGIN + (1_000 + seq as i64) * SECOND);
    let all: Vec<Stored<'_>> = (1..=400).map(new).collect();
    assert_eq!(server.places("pir", &all).await, vec![Place::Own; 400]);
    assert_eq!(server.places("pir", &all).await, vec![Place::Settled; 400]);
}

#[tokio::test]
async fn a_number_that_stands_for_several_messages_loses_none_of_them() {
    let server = Server::start();
    let one = reading(1, BEGIN);
    for measurement in ["pir", "mq134", "ld2410"] {
        assert_eq!(server.place(measurement, one).await, Place::Own, "{measurement}");
        server.settle(&[one]).await;
        assert_eq!(server.place(measurement, one).await, Place::Settled, "{measurement}");
    }
    assert_eq!(server.place("pir,mq134", one).await, Place::Settled);
}

#[tokio::test]
async fn readings_of_one_time_stand_one_after_the_other_and_find_themselves_again() {
    let server = Server::start();
    let readings: Vec<Stored<'_>> = (1..=3).map(|seq| reading(seq, BEGIN)).collect();
    let expected = [Place::Own, moved(BEGIN + 1), moved(BEGIN + 2)];
    assert_eq!(server.places("pir", &readings).await, expected);
    assert_eq!(server.places("pir", &readings).await, expected);
    // Whose time is taken moves on too; another measurement and another device are not in the way.
    assert_eq!(server.place("pir", reading(4, BEGIN + 1)).await, moved(BEGIN + 3));
    assert_eq!(server.place("mq134", reading(5, BEGIN)).await, Place::Own);
    assert_eq!(server.place("pir", Stored { device: "esp-2", ..reading(5, BEGIN) }).await, Place::Own);
    assert_eq!(server.place("mq134,pir", reading(6, BEGIN)).await, Place::Moved(vec![BEGIN + 1, BEGIN + 4]));
    assert_eq!(server.stored(&readings).await, 3);
    assert_eq!(server.places("pir", &readings).await, vec![Place::Settled; 3]);
    // Over the end of a second, and near 1970.
    let end = BEGIN + SECOND - 1;
    assert_eq!(server.places("pir", &[reading(7, end), reading(8, end)]).await, [Place::Own, moved(end + 1)]);
    assert_eq!(server.places("pir", &[reading(9, 5), reading(10, 5)]).await, [Place::Own, moved(6)]);
}

#[tokio::test]
async fn many_readings_of_one_time_cost_little_and_end_at_a_bound() {
    let server = Server::start();
    let readings: Vec<Stored<'_>> = (1..=1_100).map(|seq| reading(seq, BEGIN)).collect();
    let before = server.calls("hget");
    let places = server.places("a,b,c", &readings).await;
    let calls = server.calls("hget") - before;
    assert!(calls < 20_000, "{calls} looks for {} readings", readings.len());
    assert_eq!(places[999], Place::Moved(vec![BEGIN + 999; 3]));
    assert_eq!(places[1_000..], vec![Place::Crowded; 100]);
    let fields: u32 = server.redis.command(&["HLEN", "times:esp-1"]).parse().unwrap();
    assert!(fields <= 4_096, "{fields}");
    assert_eq!(server.places("a,b,c", &readings[990..1_000]).await, places[990..1_000]);
    // Close together, but each with its own time: who comes to a taken one does not look through all of them.
    let dense: Vec<Stored<'_>> = (0..500).map(|at| reading(2_000 + at, BEGIN + SECOND + at as i64)).collect();
    let again: Vec<Stored<'_>> = (0..500).map(|at| reading(3_000 + at, BEGIN + SECOND + at as i64)).collect();
    server.places("a", &dense).await;
    let before = server.calls("hget");
    let places = server.places("a", &again).await;
    let calls = server.calls("hget") - before;
    assert!(calls < 40_000, "{calls} looks for {} readings", again.len());
    assert_eq!(places[499], moved(BEGIN + SECOND + 563));
    assert_eq!(places[0], Place::Crowded);
}

#[tokio::test]
async fn a_replay_is_not_passed_over_and_has_one_place() {
    let server = Server::start();
    assert_eq!(server.store(reading(1, BEGIN)).await, Place::Own);
    // Refused when it came: settled, and without a place.
    server.settle(&[reading(2, 0)]).await;
    let replay = Stored { replay: true, ..reading(2, BEGIN) };
    assert_eq!(server.place("pir", replay).await, moved(BEGIN + 1));
    assert_eq!(server.place("pir", replay).await, moved(BEGIN + 1));
    assert_eq!(server.place("pir", reading(2, BEGIN)).await, Place::Settled);
    // The same of one that is stored already.
    assert_eq!(server.place("pir", Stored { replay: true, ..reading(1, BEGIN) }).await, Place::Own);
}

#[tokio::test]
async fn a_row_that_was_forgotten_goes_on_where_its_device_says() {
    let server = Server::start();
    let all: Vec<Stored<'_>> = (1..=1_000).map(|seq| reading(seq, BEGIN + seq as i64)).collect();
    assert_eq!(server.stored(&all).await, 1_000);
    server.redis.command(&["DEL", "receipt:esp-1:b"]);
    // Nobody knows what of 1 to 1,000 may still come, but the device does.
    assert_eq!(server.stored(&[reading(1_001, BEGIN)]).await, 0);
    assert_eq!(server.stored(&[Stored { kept_from: 1_001, ..reading(1_002, BEGIN) }]).await, 1_002);
    // The same closes a hole that the device can fill no more.
    assert_eq!(server.stored(&[reading(1_010, BEGIN)]).await, 1_002);
    assert_eq!(server.stored(&[Stored { kept_from: 1_009, ..reading(1_011, BEGIN) }]).await, 1_008);
    assert_eq!(server.stored(&[reading(1_009, BEGIN)]).await, 1_011);
    // It never goes back.
    assert_eq!(server.stored(&[Stored { kept_from: 3, ..reading(1_012, BEGIN) }]).await, 1_012);
}

#[tokio::test]
async fn a_replay_begins_no_row() {
    let server = Server::start();
    assert_eq!(server.settle(&[Stored { replay: true, ..reading(7, BEGIN) }]).await, None);
    assert_eq!(server.redis.command(&["EXISTS", "receipt:esp-1:b"]), "0");
    assert_eq!(server.stored(&[reading(1, BEGIN)]).await, 1);
    assert_eq!(server.stored(&[Stored { replay: true, ..reading(2, BEGIN) }]).await, 2);
}

#[tokio::test]
async fn the_boots_that_were_heard_of_last_are_remembered() {
    let server = Server::start();
    server.settle(&[reading(1, BEGIN)]).await;
    for other in 0..40 {
        let boot = format!("x{other}");
        server.settle(&[Stored { boot: &boot, ..reading(1, BEGIN) }]).await;
        let seq = other + 2;
        assert_eq!(server.stored(&[reading(seq, BEGIN)]).await, seq);
    }
    assert_eq!(server.stream.receipts(DEVICE).await.unwrap().len(), 16);
    assert_eq!(server.redis.command(&["EXISTS", "receipt:esp-1:x0"]), "0");
}

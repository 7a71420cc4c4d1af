//! Redis weaker than before, or away for one replica alone.

use crate::harness::{Path, refuses_to_start};
use crate::link::Link;
use crate::try_post;
use iot_support::{Influx, Redis};
use std::time::{Duration, Instant};

#[test]
fn a_redis_that_syncs_too_little_or_does_not_say_is_refused() {
    let influx = Influx::start();
    let redis = Redis::start_with(&["--no-appendfsync-on-rewrite", "yes"]);
    let refused = refuses_to_start(&redis, &influx, &[]);
    assert!(refused.contains("set `no-appendfsync-on-rewrite no`"), "{refused}");
    redis.command(&["CONFIG", "SET", "no-appendfsync-on-rewrite", "no"]);
    redis.command(&["ACL", "SETUSER", "default", "-config"]);
    let refused = refuses_to_start(&redis, &influx, &[]);
    assert!(refused.contains("does not say what it promises: allow us `CONFIG GET`"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_comes_back_with_a_weaker_promise_gets_nothing_acknowledged_and_ends_the_service() {
    let mut path = Path::start(1);
    assert_eq!(try_post(&path).await, 202);
    path.redis.restart_with(&["--appendfsync", "everysec"]);
    let restarted = Instant::now();
    path.until("the service has ended", || async {
        let status = try_post(&path).await;
        assert!([0, 503].contains(&status), "{status} {:?} after the restart", restarted.elapsed());
        status == 0
    })
    .await;
    assert!(restarted.elapsed() < Duration::from_secs(20), "{:?}", restarted.elapsed());
    assert!(path.logs().contains("appendfsync everysec"), "{}", path.logs());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_alone_loses_redis_leaves_its_session_to_another() {
    let mut path = Path::servers();
    let link = Link::to(path.redis.port()).await;
    path.add(&[("REDIS_PORT", &link.port.to_string())]);
    path.add(&[]);
    path.until("both serve a slot", || async {
        path.metric(0, "ingestion_mqtt_connected").await + path.metric(1, "ingestion_mqtt_connected").await == 2.0
    })
    .await;
    assert_eq!(path.redis.command(&["SCARD", "slots"]), "2");
    link.cut();
    path.until("the other one has taken over and emptied its session", || async {
        // Only its own slot has a session then.
        path.redis.command(&["SCARD", "slots"]) == "1"
    })
    .await;
    assert_eq!(path.metric(0, "ingestion_mqtt_connected").await, 0.0, "it has left the session");
    let lost = [
        path.metric(0, "ingestion_mqtt_connections_lost_total").await,
        path.metric(1, "ingestion_mqtt_connections_lost_total").await,
    ];
    // On a machine that stands still for a moment one may be late; those that fight are thrown out ten times a second.
    assert!(lost.iter().all(|lost| *lost < 5.0), "{lost:?}: they threw each other out\n{}", path.logs());
    link.mend();
    path.until("it serves again", || async { path.metric(0, "ingestion_mqtt_connected").await == 1.0 }).await;
}

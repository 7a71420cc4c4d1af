//! Redis without memory: it takes nothing more, and gives back what it has.

use crate::harness::Path;
use crate::try_post;

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_without_memory_waits_for_room_and_is_emptied() {
    let mut path = Path::start(1);
    path.influx.kill();
    for seq in 1..=50 {
        assert_eq!(path.post(0, "/api/v1/sensor-data", "esp-1", &path.reading(seq, true)).await.status, 202);
    }
    // Less than it needs for itself: every command that may need memory is refused from now on.
    path.redis.command(&["CONFIG", "SET", "maxmemory", "100kb"]);
    let answer = path.post(0, "/api/v1/sensor-data", "esp-1", &path.reading(51, true)).await;
    assert_eq!((answer.status, answer.retry_after.as_deref()), (503, Some("5")));
    assert_eq!(path.metric(0, "ingestion_backpressure").await, 1.0);
    path.influx.restart();
    path.until("all is stored", || async { path.json(0, "/api/v1/queue/status").await["queue_size"] == 0 }).await;
    assert_eq!(path.json_of(0, "/api/v1/receipts", "esp-1").await[0]["stored"], 50, "{}", path.logs());
    // Nobody takes it for dead meanwhile.
    assert_ne!(path.redis.command(&["PTTL", "slot:0"]), "-2");
    assert_eq!(path.metric(0, "ingestion_mqtt_connections_lost_total").await, 0.0);
    path.redis.command(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(path.post(0, "/api/v1/sensor-data", "esp-1", &path.reading(51, true)).await.status, 202);
    // Nobody is refused any more, so nothing presses.
    path.until("no pressure is shown", || async { path.metric(0, "ingestion_backpressure").await == 0.0 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pressure_is_not_shown_when_nobody_sends_any_more() {
    let mut path = Path::start_with(1, &[("STREAM_ENTRIES", "1")]);
    path.influx.kill();
    path.until("the stream is full", || async { try_post(&path).await == 503 }).await;
    assert_eq!(path.metric(0, "ingestion_backpressure").await, 1.0);
    path.until("no pressure is shown", || async { path.metric(0, "ingestion_backpressure").await == 0.0 }).await;
}

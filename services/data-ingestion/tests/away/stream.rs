//! Entries of the stream that another version wrote.

use crate::harness::Path;

#[tokio::test(flavor = "multi_thread")]
async fn what_another_version_wrote_waits_for_it() {
    let path = Path::start(1);
    // Its first byte is the version.
    let id = path.redis.command(&["XADD", "readings", "*", "b", "~of a later version"]);
    let counted = || async { path.metric(0, "ingestion_entries_of_other_versions_total").await };
    path.until("it is noticed", || async { counted().await >= 1.0 }).await;
    assert_eq!(path.post(0, "/api/v1/sensor-data", "esp-1", &path.reading(1, true)).await.status, 202);
    path.until("others are stored", || async { path.json_of(0, "/api/v1/receipts", "esp-1").await[0]["stored"] == 1 })
        .await;
    assert!(path.redis.command(&["XRANGE", "readings", "-", "+"]).contains(&id), "it is still there");
    assert_eq!(path.pending().iter().map(|(_, pending)| pending).sum::<u64>(), 1);
    assert!(path.dead_letters(0).await.is_empty());
    assert_eq!(counted().await, 1.0, "it does not come again and again");
}

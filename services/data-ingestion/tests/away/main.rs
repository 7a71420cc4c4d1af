//! What becomes of readings when a server is away, full, or not what it was, with real servers.

#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "other tests need the rest of it")]
mod harness;
mod link;
mod memory;
mod redis;
mod stream;

/// Status of a reading's post; 0 when nobody is there.
async fn try_post(path: &harness::Path) -> u16 {
    let request = reqwest::Client::new().post(format!("{}/api/v1/sensor-data", path.address(0)));
    let request = request.basic_auth("esp-1", Some(harness::KEY)).body(path.reading(0, false));
    request.send().await.map_or(0, |answer| answer.status().as_u16())
}

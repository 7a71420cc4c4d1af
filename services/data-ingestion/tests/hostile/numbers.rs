//! What numbers, receipts and replays promise, also to devices that count wrongly and of readings that were refused.

use crate::running::{DEVICE, Running, now, register_device};
use serde_json::{Value, json};

fn reading(number: &str, time: i128, gas: &str) -> String {
    format!(r#"{{{number}"timestamp":{time},"sensors":{{"mq134":{{"gas_concentration":{gas}}}}}}}"#)
}

impl Running {
    /// Values and times of the gas sensor.
    fn gas(&self, device: &str) -> Vec<(i128, String)> {
        let answer =
            self.influx.query(&format!("SELECT concentration_ppm FROM mq134_gas WHERE device_id = '{device}'"));
        let points = answer.lines().skip(1).filter_map(|line| {
            let mut parts = line.splitn(4, ',').skip(2);
            Some((parts.next()?.parse().ok()?, parts.next()?.to_owned()))
        });
        points.collect()
    }

    async fn until_stored(&self, readings: usize) {
        self.until("all are settled", || async {
            self.metric("ingestion_readings_stored_total").await >= readings as f64
                && self.metric("ingestion_stream_entries").await == 0.0
        })
        .await;
    }
}

fn topic(device: &str) -> String {
    format!("neurobuild/sensors/{device}/data")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_cannot_be_read_does_not_stop_the_row_of_its_device() {
    let running = Running::start(&[]).await;
    let time = now();
    let numbered = |seq: u32| format!(r#""boot":"b","seq":{seq},"#);
    let payloads = [
        reading(&numbered(1), time, "1"),
        reading(&numbered(2), time + 1_000, "NaN"),
        reading(&numbered(3), time + 2_000, "null"),
        reading(&numbered(4), time + 3_000, "4").replace("}}}", ""),
        reading(&numbered(5), time + 4_000, "[[5]]"),
        format!("[{},{}]", reading(&numbered(6), time + 5_000, "inf"), reading(&numbered(7), time + 6_000, "7")),
    ];
    for payload in &payloads {
        assert!(running.publish(&topic(DEVICE), payload.as_bytes()));
    }
    running.until("the row is whole", || async { running.receipts().await[0]["stored"] == 7 }).await;
    let receipt = running.receipts().await[0].clone();
    let refused: Vec<(Option<u64>, Option<&str>)> = receipt["refused"]
        .as_array()
        .expect("refusals")
        .iter()
        .map(|one| (one["seq"].as_u64(), one["reason"].as_str()))
        .collect();
    let expected = [(2, "not_finite"), (3, "wrong_type"), (4, "malformed"), (5, "too_deep"), (6, "not_finite")];
    assert_eq!(refused, expected.map(|(seq, reason)| (Some(seq), Some(reason))));
    assert_eq!(running.gas(DEVICE), [(time, "1".to_owned()), (time + 6_000, "7".to_owned())]);
    // Over HTTP the same: it is told at once, and the row goes on.
    let broken = reading(&numbered(8), time + 7_000, "NaN");
    assert_eq!(running.post("/api/v1/sensor-data", broken.into(), None).await.0, 422);
    running.until("the row goes on", || async { running.receipts().await[0]["stored"] == 8 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_letter_stores_each_reading_once() {
    let running = Running::start(&[("DEVICES_FRESH", "1s")]).await;
    // One of the two is good, and is stored; the other one is once the type is corrected.
    let time = now();
    let limit = |maximum: u32| {
        let path = "'{mq134,fields,gas_concentration,maximum}'";
        running
            .postgres
            .psql("iotdb", &format!("UPDATE device_types SET sensors = jsonb_set(sensors, {path}, '{maximum}')"));
    };
    limit(100);
    running
        .until("the type is known", || async {
            let (status, _) = running.post("/api/v1/sensor-data", reading("", time, "500").into(), None).await;
            status == 422
        })
        .await;
    let numbered = |boot: &str, seq: u32| format!(r#""boot":"{boot}","seq":{seq},"#);
    let message = format!("[{},{}]", reading(&numbered("b", 1), time, "1"), reading(&numbered("b", 2), time, "200"));
    assert!(running.publish(&topic(DEVICE), message.as_bytes()));
    running.until("the row is whole", || async { running.receipts().await[0]["stored"] == 2 }).await;
    assert_eq!(running.gas(DEVICE), [(time, "1".to_owned())]);
    limit(1000);
    let letter = running.dead_letters().await[0].clone();
    assert_eq!(letter["only"], json!([1]), "{letter}");
    running
        .until("the type is corrected", || async {
            let (status, answer) = running.replay(&letter).await;
            assert!(status == 422 || (status, &answer["accepted"]) == (202, &json!(1)), "{status} {answer}");
            status == 202
        })
        .await;
    running.until_stored(3).await;
    assert_eq!(running.gas(DEVICE), [(time, "1".to_owned()), (time + 1, "200".to_owned())]);

    // Of a device that nobody knew: it repeats its readings itself, and then an operator replays them.
    let message = format!("[{},{}]", reading(&numbered("n", 1), time, "1"), reading(&numbered("n", 2), time, "2"));
    assert!(running.publish(&topic("esp-new"), message.as_bytes()));
    running.until("it is a dead letter", || async { running.dead_letters().await.len() == 1 }).await;
    let letter = running.dead_letters().await[0].clone();
    assert_eq!(letter["reason"], "unknown_device");
    register_device(&running.postgres, "esp-new", "active");
    running
        .until("the device is known", || async { running.post_as("esp-new", crate::running::key()).await == 202 })
        .await;
    assert!(running.publish(&topic("esp-new"), message.as_bytes()));
    running.until("its own are stored", || async { running.gas("esp-new").len() == 2 }).await;
    let (status, answer) = running.replay(&letter).await;
    assert_eq!((status, &answer["accepted"]), (202, &json!(2)), "{answer}");
    running.until("the stream is empty", || async { running.metric("ingestion_repeats_total").await >= 2.0 }).await;
    assert_eq!(running.gas("esp-new"), [(time, "1".to_owned()), (time + 1, "2".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_array_where_one_reading_belongs_stores_nothing() {
    let running = Running::start(&[]).await;
    let time = now();
    let list = format!("[{},{}]", reading("", time, "1"), reading("", time + 1, "2"));
    let (status, problem) = running.post("/api/v1/sensor-data", list.into(), None).await;
    assert_eq!(status, 400, "{problem}");
    assert_eq!(running.metric("ingestion_readings_accepted_total").await, 0.0);
    let (status, _) = running.post("/api/v1/sensor-data", reading("", time + 2, "3").into(), None).await;
    assert_eq!(status, 202);
    running.until_stored(1).await;
    assert_eq!(running.gas(DEVICE), [(time + 2, "3".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_of_another_type_holds_up_nothing_else() {
    let running = Running::start(&[]).await;
    running.influx.write("mq134_gas,device_id=other concentration_ppm=\"text\"");
    let time = now();
    let both = |seq: i128| {
        let sensors = format!(r#"{{"mq134":{{"gas_concentration":{seq}}},"pir":{{"motion_detected":true}}}}"#);
        format!(r#"{{"boot":"b","seq":{seq},"timestamp":{},"sensors":{sensors}}}"#, time + seq * 1_000)
    };
    let list: Vec<String> = (1..=300).map(both).collect();
    let before = running.influx.writes();
    let (status, answer) =
        running.post("/api/v1/sensor-data/batch", format!("[{}]", list.join(",")).into(), None).await;
    assert_eq!((status, &answer["accepted"]), (202, &json!(300)));
    running.until("all are settled", || async { running.receipts().await[0]["stored"] == 300 }).await;
    let writes = running.influx.writes() - before;
    assert!(writes < 20, "{writes} writes for 300 readings");
    assert_eq!(
        running
            .influx
            .query("SELECT count(motion_detected) FROM pir_motion")
            .lines()
            .last()
            .map(|line| line.ends_with(",300")),
        Some(true)
    );
    let letters: Vec<Value> = running.dead_letters().await;
    assert_eq!(letters.len(), 300);
    assert!(
        letters.iter().all(|letter| letter["reason"] == "storage" && letter["source"] == "influxdb"),
        "{:?}",
        letters[0]
    );
    let (status, answer) = running.replay(&letters[0]).await;
    assert_eq!((status, &answer["accepted"]), (202, &json!(1)), "{answer}");
}

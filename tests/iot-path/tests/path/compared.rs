//! What the comparison says of an InfluxDB that has no such database: as CSV it would answer that nothing is stored.

use iot_support::Influx;

#[tokio::test]
async fn a_database_that_is_not_there_is_no_loss() {
    let (influx, directory) = (Influx::start(), tempfile::tempdir().expect("a directory"));
    let ledger = directory.path().join("ledger").display().to_string();
    // To nobody: its ledger is empty.
    let run =
        ["run", "--devices", "1", "--messages", "1", "--timeout", "0.1", "--mqtt", "127.0.0.1:1", "--ledger", &ledger];
    iot_sim::run(&run).await.expect("a ledger");
    let verify = ["verify", "--ledger", &ledger, "--influx", &influx.url(), "--database"];
    let said =
        iot_sim::run(&[&verify[..], &["iott"]].concat()).await.expect_err("there is no such database").to_string();
    assert!(said.contains("has no database `iott`\nhint: it has "), "{said}");
    assert!(said.contains("`iot`"), "{said}");
    let (equal, found) = iot_sim::run(&[&verify[..], &["iot"]].concat()).await.expect("a database that is there");
    assert!(equal, "{found}");
}

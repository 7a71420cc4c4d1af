//! Every quality of service and both protocol versions, over TLS; and a broker of another authority is refused.

use crate::servers::Servers;
use crate::simulation::say;
use iot_support::{Authority, Process, free_port};
use std::process::Command;
use std::time::Duration;

#[test]
fn every_quality_of_service_in_both_versions_over_tls() {
    let mut servers = Servers::start_encrypted("");
    servers.provision(12);
    for qos in [0, 1, 2] {
        let simulation = servers.simulate(12, &format!(
            "--qos {qos} --messages 600 --rate 400 --transport mqtt,mqtt4 --repeat-after 3 --duplicates 0.05 --timeout 60"
        ));
        let summary = simulation.complete(&servers);
        assert!(summary["connects"].as_u64() >= Some(12), "{summary}");
        let found = servers.must_be_equal(600, Duration::ZERO);
        // The same devices again: what they sent before is known as theirs, and for its own ledger.
        assert_eq!(found["of_other_runs"], 600 * qos, "{found}");
        say(&format!("QoS {qos} over TLS: {summary}; {found}"));
    }
    let encrypted = servers.broker.log().matches("New connection").count();
    assert!(encrypted >= 36, "the devices were not at this broker: {encrypted} connections");
}

/// What a service says about a broker whose authority it does not know.
fn says_of_a_strange_broker(mut variables: Vec<(String, String)>, servers: &Servers) -> String {
    let stranger = Authority::new("another authority");
    let port = free_port();
    variables.extend([
        ("MQTT_TLS_CA".to_owned(), stranger.certificate().display().to_string()),
        ("SERVICE_PORT".to_owned(), port.to_string()),
    ]);
    let log = servers.directory.path().join("stranger.log");
    let mut command = Command::new(env!("CARGO_BIN_EXE_iot-service"));
    command.env_clear().envs(variables);
    let process = Process::start(&mut command, &log, port).expect("it starts: a broker that is away is waited for");
    let told = support::wait_until("it says why it does not connect", Duration::from_secs(20), || {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        text.lines().find(|line| line.contains("MQTT_TLS_CA")).map(str::to_owned)
    });
    process.stop();
    told
}

#[test]
fn a_broker_of_an_unknown_authority_is_refused_with_a_reason() {
    let mut servers = Servers::start_encrypted("");
    servers.provision(1);
    let reason = "the broker's certificate is of no authority that is trusted";
    for variables in [servers.ingestion_variables(), servers.management_variables()] {
        let told = says_of_a_strange_broker(variables, &servers);
        assert!(told.contains(reason), "{told}");
    }
    // A device of the same mind says so, too.
    let stranger = Authority::new("another authority");
    let arguments = format!("--messages 1 --timeout 3 --tls-ca {}", stranger.certificate().display());
    servers.authority = None;
    let summary = servers.simulate(1, &arguments).summary();
    assert_eq!((&summary["complete"], &summary["connects"]), (&false.into(), &0.into()), "{summary}");
    assert!(summary["trouble"].as_str().is_some_and(|words| words.contains("UnknownIssuer")), "{summary}");
}

//! What kwok does to nodes and pods, and how it is started.

use crate::Component;
use crate::directory::Directory;
use crate::nodes::{POD_RANGE, SIMULATED};
use crate::ports::Ports;

/// Our own full set: kwok brings none from 0.8 on. Those in its repository leave pods unready for good once the node controller has
/// marked them so.
const STAGES: &str = include_str!("stages.yaml");

/// kwok's configuration file.
pub(crate) fn configuration(directory: &Directory) -> String {
    STAGES.replace("LOG_FILE", &serde_json::Value::from(log_path(directory)).to_string())
}

/// The file that `kubectl logs` shows for every container, in the format of container runtimes, and its text.
pub(crate) fn simulated_log(directory: &Directory) -> (camino::Utf8PathBuf, String) {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.000000000Z");
    let text = format!("{now} stdout F simulated: in the sandbox no container runs, so it has no log\n");
    (log_path(directory).into(), text)
}

fn log_path(directory: &Directory) -> String {
    directory.path().join("simulated.log").into_string()
}

/// The command line (kwok 0.8).
pub(crate) fn arguments(directory: &Directory, ports: &Ports) -> Vec<String> {
    vec![
        // Given, so that `~/.kwok/kwok.yaml` is not read.
        format!("--config={}", directory.stages()),
        format!("--kubeconfig={}", directory.component_kubeconfig(Component::Kwok)),
        // Only its own nodes, so that a real one can join.
        format!("--manage-nodes-with-annotation-selector={SIMULATED}=fake"),
        // Our controller renews them (`controller/leases.rs`).
        "--node-lease-duration-seconds=0".to_owned(),
        format!("--cidr={POD_RANGE}"),
        format!("--server-address=127.0.0.1:{}", ports.kwok),
        format!("--tls-cert-file={}", directory.certificate("kwok.crt")),
        format!("--tls-private-key-file={}", directory.certificate("kwok.key")),
    ]
}

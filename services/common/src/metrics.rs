//! Prometheus metrics: the recorder, and what is known of the process itself.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;

/// From half a millisecond to 30 s, as Prometheus' own client libraries, with two more steps below.
const SECONDS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
const BYTES: &[f64] = &[64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262_144.0, 1_048_576.0, 4_194_304.0];

/// The recorder of this process; the first call installs it.
pub(crate) fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let builder = PrometheusBuilder::new();
        let builder = match builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS) {
            Ok(builder) => builder,
            Err(_) => PrometheusBuilder::new(),
        };
        let builder = match builder.set_buckets_for_metric(Matcher::Suffix("_bytes".to_owned()), BYTES) {
            Ok(builder) => builder,
            Err(_) => PrometheusBuilder::new(),
        };
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        // Somebody else's recorder is in place only in tests of other crates; ours then stays empty.
        let _ = metrics::set_global_recorder(recorder);
        describe();
        handle
    })
}

fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_counter!("http_requests_total", "Requests by method, route and status.");
    describe_histogram!(
        "http_request_duration_seconds",
        Unit::Seconds,
        "Time to the answer's head, by method and route."
    );
    describe_gauge!("http_requests_in_flight", "Requests that are being worked on.");
    describe_gauge!("http_connections", "Open connections, WebSockets among them.");
    describe_counter!("http_connections_refused_total", "Connections closed because there were too many.");
    describe_counter!(
        "http_connections_timed_out_total",
        "Connections closed because nothing came, or a head too slowly."
    );
    describe_gauge!("dependency_up", "Whether the last check of a dependency succeeded.");
    describe_gauge!("process_resident_memory_bytes", "Memory of the process.");
    describe_gauge!("process_cpu_seconds_total", "Processor time of the process.");
    describe_gauge!("process_open_fds", "Open files and sockets.");
    describe_gauge!("build_info", "Always 1, with the version.");
}

/// Everything, in Prometheus' text format.
pub(crate) fn render() -> String {
    process();
    let recorder = recorder();
    recorder.run_upkeep();
    recorder.render()
}

/// The names of prometheus.io's client libraries ("Process metrics"). Only Linux has `/proc`; elsewhere they are missing.
fn process() {
    if let Ok(statm) = std::fs::read_to_string("/proc/self/statm")
        && let Some(pages) = statm.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok())
    {
        metrics::gauge!("process_resident_memory_bytes").set(pages * page_bytes());
    }
    if let Ok(stat) = std::fs::read_to_string("/proc/self/stat")
        && let Some((_, rest)) = stat.rsplit_once(") ")
    {
        // Fields 14 and 15 of proc_pid_stat(5), in ticks of 10 ms on every platform we build for.
        let ticks: u64 = rest.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        metrics::gauge!("process_cpu_seconds_total").set(ticks as f64 / 100.0);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        metrics::gauge!("process_open_fds").set(open.count() as f64);
    }
}

/// 4 KiB, or 16 KiB on a Raspberry Pi 5.
fn page_bytes() -> f64 {
    rustix::param::page_size() as f64
}

#!/bin/sh
# A million readings over MQTT QoS 1 while Mosquitto, Redis, InfluxDB and both replicas of data-ingestion are killed at random
# (SIGKILL) and started again; then the ledger of receipts is compared with InfluxDB. SOAK_MESSAGES, SOAK_RATE (readings a
# second, 0 for as many as go) and SOAK_SEED change it.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need cargo "install Rust with rustup: https://rustup.rs"
scripts/test-setup.sh
start=$(date +%s)
SOAK_MESSAGES=${SOAK_MESSAGES:-1000000} SOAK_RATE=${SOAK_RATE:-0} SOAK_SEED=${SOAK_SEED:-$$} \
    cargo test --release --locked --package data-ingestion --test path -- --nocapture nothing_is_lost
say "nothing was lost or doubled; it took $(elapsed_since "$start")"

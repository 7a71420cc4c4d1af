#!/bin/sh
# A million readings over MQTT QoS 1 while Mosquitto, Redis, InfluxDB, PostgreSQL, device-management and both replicas of
# data-ingestion are killed at random (SIGKILL) and started again; then the ledger of receipts is compared with InfluxDB. The
# same without receipts, where the broker alone is spared; and what such devices lose when it is not.
# SOAK_MESSAGES, SOAK_DEVICES, SOAK_RATE (readings a second, 0 for as many as go), SOAK_SEED and WINDOW_KILLS change it;
# SOAK_ONLY=receipts, plain or window makes one of the three.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need cargo "install Rust with rustup: https://rustup.rs"
scripts/test-setup.sh
start=$(date +%s)
export SOAK_MESSAGES="${SOAK_MESSAGES:-1000000}" SOAK_SEED="${SOAK_SEED:-$$}"
# run <test>: one after the other, as each takes the whole machine.
run() {
    cargo test --release --locked --package iot-path --test path -- --nocapture --include-ignored --exact "$1"
}
case ${SOAK_ONLY:-all} in
    receipts | plain | window | all) ;;
    *) fail "SOAK_ONLY is \`$SOAK_ONLY\`" "one of: receipts, plain, window" ;;
esac
case ${SOAK_ONLY:-all} in receipts | all)
    run killed::with_receipts_nothing_is_lost_or_doubled_while_everything_is_killed_at_random ;;
esac
case ${SOAK_ONLY:-all} in plain | all)
    run killed::with_plain_qos_1_nothing_is_lost_while_the_broker_lives ;;
esac
case ${SOAK_ONLY:-all} in window | all)
    run window::the_loss_window_of_a_killed_broker ;;
esac
say "nothing was lost or doubled; it took $(elapsed_since "$start")"

#!/bin/sh
# The IoT data path with real servers: starts Mosquitto, Redis, InfluxDB and two replicas of data-ingestion on loopback,
# lets simulated devices send for some seconds, with faults, and shows that InfluxDB holds what their ledger says, once.
# DEMO_DEVICES, DEMO_MESSAGES and DEMO_RATE change its size. Everything ends with the script.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need cargo "install Rust with rustup: https://rustup.rs"
PATH="$PATH:/usr/sbin:/sbin"
missing=
for pair in mosquitto:mosquitto redis-server:redis-server influxd:influxdb; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
if [ -n "$missing" ]; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        fail "the demo needs these servers:$missing" "install them, on Debian with \`sudo apt-get install$missing\`"
    fi
    say "installing$missing"
    # Nothing of theirs is to run beside ours: the packages would start them.
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
    # shellcheck disable=SC2086 # each package is a word
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >/dev/null ||
        fail "apt-get did not install$missing" "see its words above" 1
fi

say "building data-ingestion and iot-sim"
profile=${DEMO_PROFILE:-demo}
cargo build --quiet --profile "$profile" --locked --package data-ingestion --package iot-sim
case $profile in dev) programs=debug ;; *) programs=$profile ;; esac
programs=${CARGO_TARGET_DIR:-target}/$programs

place=$(mktemp -d)
pids=
end() {
    for pid in $pids; do kill "$pid" 2>/dev/null || true; done
    for pid in $pids; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$place"
}
trap end EXIT
trap 'exit 130' INT TERM

# start <name> <program…>: its output goes to a log.
start() {
    log=$place/$1.log
    shift
    "$@" >"$log" 2>&1 &
    pids="$pids $!"
}
# up <name> <words>: waits until its log has them.
up() {
    tries=0
    until grep -q "$2" "$place/$1.log"; do
        tries=$((tries + 1))
        [ "$tries" -lt 150 ] || { cat "$place/$1.log" >&2; fail "$1 does not come up" "its words are above" 1; }
        sleep 0.2
    done
}

# Ports that are free more often than the servers' own.
base=${DEMO_PORT:-27880}
mqtt=$base redis=$((base + 1)) influx=$((base + 2)) backup=$((base + 3)) first=$((base + 4)) second=$((base + 5))
mkdir "$place/redis" "$place/mosquitto"
cat >"$place/mosquitto.conf" <<EOF
listener $mqtt 127.0.0.1
allow_anonymous true
persistence true
persistence_location $place/mosquitto/
max_queued_messages 1000000
max_inflight_messages 500
EOF
[ "$(id -u)" -ne 0 ] || echo "user root" >>"$place/mosquitto.conf"
cat >"$place/influxdb.conf" <<EOF
reporting-disabled = true
bind-address = "127.0.0.1:$backup"
[meta]
dir = "$place/influxdb/meta"
[data]
dir = "$place/influxdb/data"
wal-dir = "$place/influxdb/wal"
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:$influx"
log-enabled = false
EOF
say "starting Mosquitto, Redis, InfluxDB and two replicas of data-ingestion"
start mosquitto mosquitto -c "$place/mosquitto.conf"
start redis redis-server --port "$redis" --bind 127.0.0.1 --dir "$place/redis" --save "" --appendonly yes --appendfsync always
start influxdb env HOME="$place" influxd run -config "$place/influxdb.conf"
up mosquitto running
up redis "Ready to accept"
up influxdb "Listening on HTTP"
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
for port in $first $second; do
    start "data-ingestion-$port" env SERVICE_ADDRESS=127.0.0.1 SERVICE_PORT="$port" DEVICES=any DEVICES_KEY="$key" \
        MQTT_HOST=127.0.0.1 MQTT_PORT="$mqtt" REDIS_HOST=127.0.0.1 REDIS_PORT="$redis" \
        INFLUXDB_URL="http://127.0.0.1:$influx" INFLUXDB_DATABASE=iot "$programs/data-ingestion"
    up "data-ingestion-$port" '"connected"'
done

devices=${DEMO_DEVICES:-200} messages=${DEMO_MESSAGES:-20000} rate=${DEMO_RATE:-2000}
say "$devices devices send $messages readings over MQTT 5, MQTT 3.1.1, HTTP and WebSocket, with duplicates, late and broken ones"
IOT_SIM_KEY=$key "$programs/iot-sim" run --anonymous --mqtt "127.0.0.1:$mqtt" --http "http://127.0.0.1:$first,http://127.0.0.1:$second" \
    --devices "$devices" --messages "$messages" --rate "$rate" --transport mqtt,mqtt4,http,ws --ledger "$place/ledger" \
    --duplicates 0.02 --late 0.02 --same-time 0.02 --malformed 0.01 --reconnects 0.02 --timeout 300
say "comparing the ledger with InfluxDB"
if "$programs/iot-sim" verify --ledger "$place/ledger" --influx "http://127.0.0.1:$influx"; then
    say "ledger = InfluxDB: every reading that has a receipt is stored, once"
else
    fail "the ledger is not what InfluxDB holds" "see the counts above" 1
fi

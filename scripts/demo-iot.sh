#!/bin/sh
# The IoT data path with real servers on loopback: registers devices with device-management, which makes their accounts at
# Mosquitto, starts two replicas of data-ingestion, lets the devices send for some seconds over every way in, with faults, and
# shows that InfluxDB holds what their ledger says, once. DEMO_DEVICES, DEMO_MESSAGES and DEMO_RATE change its size. Everything
# ends with the script, and nothing is left behind.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need cargo "install Rust with rustup: https://rustup.rs"
# Servers are on nobody's PATH but root's, PostgreSQL's and the broker's plugin on none at all.
PATH="$PATH:/usr/sbin:/sbin"
find_server_parts() {
    set -- /usr/lib/postgresql/*/bin
    postgres_bin=$1
    for later; do [ ! -x "$later/postgres" ] || postgres_bin=$later; done
    plugin=
    for file in /usr/lib/*/mosquitto_dynamic_security.so /usr/lib/mosquitto_dynamic_security.so; do
        [ ! -e "$file" ] || plugin=$file
    done
}
find_missing() {
    missing=
    for pair in mosquitto:mosquitto mosquitto_ctrl:mosquitto mosquitto_pub:mosquitto-clients redis-server:redis-server \
        influxd:influxdb psql:postgresql-client curl:curl; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
    done
    find_server_parts
    [ -x "$postgres_bin/postgres" ] || missing="$missing postgresql"
    [ -n "$plugin" ] || missing="$missing mosquitto"
}
find_missing
if [ -n "$missing" ]; then
    if ! command -v apt-get >/dev/null 2>&1; then
        fail "the demo needs these servers, as Debian packs them:$missing" \
            "run it on Debian or Ubuntu, or in a container or virtual machine of one; InfluxDB is 1.x"
    elif [ "$(id -u)" -ne 0 ]; then
        fail "the demo needs these packages:$missing" "install them once: sudo apt-get install --no-install-recommends$missing"
    fi
    say "installing$missing"
    log=$(mktemp)
    # Nothing of theirs is to run beside ours: the packages would start them.
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
    # shellcheck disable=SC2086 # each package is a word
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1 || {
        cat "$log" >&2
        fail "apt-get did not install$missing" "see its words above" 1
    }
    rm -f "$log"
    find_missing
    [ -z "$missing" ] || fail "still missing after installing:$missing" "install them by hand" 1
fi

# Servers end last, since services say goodbye to them.
services='' servers='' postgres='' child='' place=''
end() {
    trap '' INT TERM HUP
    for group in "$child" "$services" "$servers"; do
        for pid in $group; do kill "$pid" 2>/dev/null || true; done
        # A smart shutdown of PostgreSQL would wait for others; SIGINT is its fast one.
        [ "$group" != "$servers" ] || [ -z "$postgres" ] || kill -INT "$postgres" 2>/dev/null || true
        for pid in $group; do wait "$pid" 2>/dev/null || true; done
    done
    [ -z "$place" ] || rm -rf "$place"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# attend <program…>: in the background, so that a signal is answered at once; its exit code.
attend() {
    "$@" &
    child=$!
    code=0
    wait "$child" || code=$?
    child=
    return "$code"
}

profile=${DEMO_PROFILE:-demo}
case $profile in dev) directory=debug ;; *) directory=$profile ;; esac
say "building device-management, data-ingestion and iot-sim (the first time takes some minutes)"
attend cargo build --quiet --profile "$profile" --locked --package device-management --package data-ingestion --package iot-sim
programs=${CARGO_TARGET_DIR:-target}/$directory

umask 077
place=$(mktemp -d "${TMPDIR:-/tmp}/demo-iot.XXXXXX")
random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# Ports that nobody listens on, as far as Linux tells.
taken() { cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -qi ":$(printf '%04X' "$1") [0-9A-F]*:0000 0A"; }
next_port=${DEMO_PORT:-27880}
port() {
    while taken "$next_port"; do next_port=$((next_port + 1)); done
    eval "$1=$next_port"
    next_port=$((next_port + 1))
}
mqtt="" redis="" influx="" backup="" management="" first="" second=""
for name in mqtt redis influx backup management first second; do port "$name"; done

# start <name> <program…>: its output goes to a log.
start() {
    log=$place/$1.log
    shift
    "$@" >"$log" 2>&1 &
}
# up <name> <program…>: waits until the program succeeds.
up() {
    name=$1
    shift
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -ge 300 ] || ! kill -0 "$!" 2>/dev/null; then
            tail -n 20 "$place/$name.log" >&2
            fail "$name does not come up" "its last words are above" 1
        fi
        sleep 0.1
    done
}
logged() { grep -q "$2" "$place/$1.log"; }

say "starting Mosquitto, PostgreSQL, Redis and InfluxDB"
# PostgreSQL refuses to run as root: then Debian's user for it does.
as_server=
mkdir "$place/postgres" "$place/redis" "$place/mosquitto"
if [ "$(id -u)" -eq 0 ]; then
    as_server="setpriv --reuid=postgres --regid=postgres --clear-groups"
    chmod 711 "$place"
    chown postgres "$place/postgres"
    echo "user root" >"$place/mosquitto.conf"
fi
# Only a socket in a directory that nobody else may enter, so that no password is needed.
# shellcheck disable=SC2086 # the command is words
(cd / && $as_server "$postgres_bin/initdb" --username=iotuser --auth=trust --encoding=UTF8 --locale=C --no-sync \
    --pgdata="$place/postgres/data" >"$place/initdb.log" 2>&1) ||
    { cat "$place/initdb.log" >&2; fail "PostgreSQL's cluster could not be made" "see its words above" 1; }
# shellcheck disable=SC2086 # the command is words
start postgres $as_server "$postgres_bin/postgres" -D "$place/postgres/data" -k "$place/postgres" -c listen_addresses=
postgres=$! servers=$!
sql() { psql -X -q -h "$place/postgres" -U iotuser -v ON_ERROR_STOP=1 -d "$1" -c "$2"; }
up postgres sql postgres "CREATE DATABASE iotdb"

cat >>"$place/mosquitto.conf" <<END
listener $mqtt 127.0.0.1
allow_anonymous false
plugin $plugin
plugin_opt_config_file $place/mosquitto/accounts.json
persistence true
persistence_location $place/mosquitto/
max_queued_messages 100000
max_inflight_messages 500
max_packet_size 524288
END
# What the services may know of each other: in files, never in an argument.
for secret in broker ingestion admin; do random 24 >"$place/$secret.secret"; done
random 32 >"$place/outbox.secret"
{ cat "$place/broker.secret"; echo; cat "$place/broker.secret"; echo; } |
    mosquitto_ctrl dynsec init "$place/mosquitto/accounts.json" admin >"$place/mosquitto.log" 2>&1 ||
    { cat "$place/mosquitto.log" >&2; fail "the broker's accounts could not be made" "see its words above" 1; }
start mosquitto mosquitto -c "$place/mosquitto.conf"
servers="$servers $!"
up mosquitto logged mosquitto running
start redis redis-server --port "$redis" --bind 127.0.0.1 --dir "$place/redis" --save "" --appendonly yes --appendfsync always
servers="$servers $!"
up redis logged redis "eady to accept"
cat >"$place/influxdb.conf" <<END
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
END
start influxdb env HOME="$place" influxd run -config "$place/influxdb.conf"
servers="$servers $!"
up influxdb curl -fs "http://127.0.0.1:$influx/ping"

say "starting device-management and two replicas of data-ingestion"
export SERVICE_ADDRESS=127.0.0.1 MQTT_HOST=127.0.0.1 MQTT_PORT="$mqtt" POSTGRES_HOST="$place/postgres"
start device-management env SERVICE_PORT="$management" MQTT_USERNAME=admin MQTT_PASSWORD_FILE="$place/broker.secret" \
    MQTT_INGESTION_PASSWORD_FILE="$place/ingestion.secret" OUTBOX_KEY_FILE="$place/outbox.secret" \
    ADMIN_TOKEN_FILE="$place/admin.secret" "$programs/device-management"
services=$!
up device-management curl -fs "http://127.0.0.1:$management/ready"
# Ingestion may read what devices it may believe, and say when it heard of them: nothing else.
sql iotdb "CREATE ROLE ingestion LOGIN; GRANT SELECT ON ingest_devices, ingest_types TO ingestion;
    GRANT EXECUTE ON FUNCTION ingest_seen TO ingestion"
for port in $first $second; do
    start "data-ingestion-$port" env SERVICE_PORT="$port" MQTT_USERNAME=data-ingestion \
        MQTT_PASSWORD_FILE="$place/ingestion.secret" POSTGRES_USER=ingestion REDIS_HOST=127.0.0.1 REDIS_PORT="$redis" \
        INFLUXDB_URL="http://127.0.0.1:$influx" INFLUXDB_DATABASE=iot "$programs/data-ingestion"
    services="$services $!"
    up "data-ingestion-$port" logged "data-ingestion-$port" '"connected"'
done

# number <name>: of the JSON object on standard input.
number() { sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p"; }
tenths() { awk '{ printf "%.1f", $1 }'; }
# metric <port> <name with labels, or a pattern>: the sum.
metric() { curl -fs "http://127.0.0.1:$1/metrics" | awk -v name="$2" 'index($1, name) == 1 { sum += $2 } END { printf "%d", sum }'; }

devices=${DEMO_DEVICES:-200} messages=${DEMO_MESSAGES:-20000} rate=${DEMO_RATE:-2000}
IOT_SIM_ADMIN_TOKEN=$(cat "$place/admin.secret")
export IOT_SIM_ADMIN_TOKEN
attend "$programs/iot-sim" provision --management "http://127.0.0.1:$management" --devices "$devices" --keys "$place/keys" \
    >"$place/provision.json" || fail "the devices could not be registered" "its words are above" 1
say "$devices devices are registered ($(number import_seconds <"$place/provision.json" | tenths) s), each with an account of" \
    "its own at the broker ($(number accounts_seconds <"$place/provision.json" | tenths) s)"
! mosquitto_pub -h 127.0.0.1 -p "$mqtt" -t neurobuild/sensors/sim-0/data -m '{}' >/dev/null 2>&1 ||
    fail "the broker let a stranger in" "\`allow_anonymous\` is false in this script: is this its own broker?" 1
say "a stranger was refused by the broker"
say "they send $messages readings, $rate a second, over MQTT 5, MQTT 3.1.1, HTTP and WebSocket …"
sent=0
attend "$programs/iot-sim" run --keys "$place/keys" --devices "$devices" --mqtt "127.0.0.1:$mqtt" \
    --http "http://127.0.0.1:$first,http://127.0.0.1:$second" --messages "$messages" --rate "$rate" \
    --transport mqtt,mqtt4,http,ws --ledger "$place/ledger" --duplicates 0.02 --late 0.02 --same-time 0.02 --malformed 0.01 \
    --reconnects 0.02 --repeat-after 10 --timeout 300 >"$place/run.json" || sent=$?
summary() { number "$1" <"$place/run.json"; }
[ "$sent" -eq 0 ] || fail "only $(summary accepted) of $messages readings got a receipt" "$(cat "$place/run.json")" 1
say "$(summary accepted) have a receipt after $(summary seconds | tenths) s; on the way there were $(summary duplicates) duplicates," \
    "$(summary malformed) broken messages, $(summary reconnects) broken connections, $(summary repeats) repeats"
for port in $first $second; do
    say "replica on port $port: $(metric "$port" ingestion_readings_accepted_total) readings taken," \
        "$(metric "$port" ingestion_refused_total) refused with a reason," \
        "$(($(metric "$port" process_resident_memory_bytes) / 1048576)) MiB"
done
say "comparing the ledger with InfluxDB"
equal=0
attend "$programs/iot-sim" verify --ledger "$place/ledger" --influx "http://127.0.0.1:$influx" >"$place/verify.json" || equal=$?
verdict() { number "$1" <"$place/verify.json"; }
counts="$(verdict ledger) readings in the ledger, $(verdict found) of them in InfluxDB; $(verdict missing) missing, $(verdict twice) twice,"
counts="$counts $(verdict without_receipt) without receipt, $(verdict wrong) wrong"
[ "$equal" -eq 0 ] || { cat "$place/verify.json" >&2; fail "the ledger is not what InfluxDB holds: $counts" "see above" 1; }
say "ledger = InfluxDB: $counts"

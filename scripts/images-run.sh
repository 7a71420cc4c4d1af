#!/bin/sh
# Starts each image of target/images as a node would: unpacked by umoci, run by runc with a read-only root, as the image's user,
# with no capability; its network is this machine's loopback. A service must answer at /health and end orderly by SIGTERM;
# what has no port must tell its version. Needs root, Debian's umoci and runc, and curl.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

images=${1:-target/images}
[ "$(id -u)" -eq 0 ] || fail "containers are started as root" "sudo scripts/images-run.sh"
for program in umoci runc curl python3; do need "$program" "apt-get install umoci runc curl python3"; done
work=$(mktemp -d)
running=
end() {
    [ -z "$running" ] || runc --root "$work/state" delete --force "$running" >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM

# A configuration with which services start while their servers are away: whether they live does not depend on those.
nowhere="POSTGRES_HOST=127.0.0.1 MQTT_HOST=127.0.0.1 MQTT_USERNAME=x MQTT_PASSWORD=x REDIS_HOST=127.0.0.1 REDIS_PORT=1
INFLUXDB_URL=https://127.0.0.1:1 INFLUXDB_DATABASE=iot POSTGRES_PORT=1 MQTT_PORT=1 SERVICE_ADDRESS=127.0.0.1"
# not a secret: nobody's token, and beside it a key that seals nothing
nowhere="$nowhere ADMIN_TOKEN=of-nobody-of-enough-letters"
nowhere="$nowhere OUTBOX_KEY=$(printf '0b%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32)"

# bundle <layout> <name> <arguments…>: unpacks it, and makes what the container may do as little as a pod's in our charts.
bundle() {
    layout=$1 name=$2
    shift 2
    tag=$(python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"])' "$layout/index.json")
    umoci unpack --image "$layout:$tag" "$work/$name" >/dev/null 2>&1
    # shellcheck disable=SC2086 # each variable is a word
    python3 - "$work/$name/config.json" $nowhere -- "$@" <<'END'
import json, sys
path, rest = sys.argv[1], sys.argv[2:]
variables, arguments = rest[:rest.index("--")], rest[rest.index("--") + 1:]
config = json.load(open(path))
process = config["process"]
assert process["user"] == {"uid": 65532, "gid": 65532}, process["user"]
process["terminal"] = False
process["noNewPrivileges"] = True
process["env"] += variables
process["args"] += arguments
process["capabilities"] = {kind: [] for kind in process["capabilities"]}
config["root"]["readonly"] = True
config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] != "network"]
config["linux"].pop("resources", None)
# Nothing of this machine: not its names, not its resolver.
config["mounts"] = [m for m in config["mounts"] if not m["destination"].startswith("/etc/")]
json.dump(config, open(path, "w"))
END
}

for layout in "$images"/*/; do
    layout=${layout%/}
    name=${layout##*/}
    port=$(cargo metadata --no-deps --format-version 1 --offline | python3 -c 'import json, sys
for package in json.load(sys.stdin)["packages"]:
    if package["name"] == sys.argv[1]:
        print(((package["metadata"] or {}).get("image") or {}).get("port", ""))' "$name")
    if [ -z "$port" ]; then
        bundle "$layout" "$name" --version
        said=$(runc --root "$work/state" run --bundle "$work/$name" "image-$name")
        say "$name: runs as 65532 with a read-only root; says \`$said\`"
        continue
    fi
    bundle "$layout" "$name"
    running=image-$name
    runc --root "$work/state" run --bundle "$work/$name" "$running" >"$work/$name.log" 2>&1 &
    child=$!
    tries=0
    until answer=$(curl -fs "http://127.0.0.1:$port/health"); do
        tries=$((tries + 1))
        if [ "$tries" -ge 100 ] || ! kill -0 "$child" 2>/dev/null; then
            cat "$work/$name.log" >&2
            fail "$name does not answer" "its log is above" 1
        fi
        sleep 0.1
    done
    runc --root "$work/state" exec "$running" "/usr/bin/$name" --probe || fail "$name --probe fails in its image" "run it by hand" 1
    ! runc --root "$work/state" exec "$running" /bin/sh -c true 2>/dev/null || fail "there is a shell in $name" "see its layers" 1
    runc --root "$work/state" kill "$running" TERM
    code=0
    wait "$child" || code=$?
    running=
    [ "$code" -eq 0 ] || { tail -n 5 "$work/$name.log" >&2; fail "$name ended with $code" "its last words are above" 1; }
    say "$name: runs as 65532 with a read-only root and no capability; /health says $answer; ends orderly"
done

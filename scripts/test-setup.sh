#!/bin/sh
# Installs what the tests need from the system's packages, where it is missing and this runs as root on Debian or a relative.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

missing=
# want <program> <package>: `sshd` lies in a directory that is not on everybody's PATH.
want() {
    PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
want sshd openssh-server
want ssh openssh-client
want sudo sudo
want busybox busybox
want git git
want curl curl
want shellcheck shellcheck
want mosquitto_pub mosquitto-clients
want influxd influxdb
want redis-server redis-server
want mosquitto mosquitto
want mosquitto_ctrl mosquitto
want psql postgresql-client
# Images are started with these, as a node would.
want umoci umoci
want runc runc
# PostgreSQL's server is on nobody's PATH.
set -- /usr/lib/postgresql/*/bin/postgres
[ -x "$1" ] || missing="$missing postgresql"
# Debian ships `venv` apart from Python, as a module without which `python3 -m venv` fails.
if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then missing="$missing python3-venv"; fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    fail "the tests need these packages:$missing" "install them, on Debian with \`sudo apt-get install$missing\`"
fi
say "installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # each package is a word
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
    cat "$log" >&2
    fail "apt-get did not install$missing" "see its words above" 1
fi

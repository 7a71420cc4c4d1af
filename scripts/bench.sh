#!/bin/sh
# Measures `cluster` beside its peers in one run and prints the ratios (docs/SPEED.md). Misses are printed, not failures.
#
#   scripts/bench.sh                      everything: about 15 minutes on two idle cores
#   scripts/bench.sh --quick              without the slow peers
#   scripts/bench.sh --only '3 tasks'     one row; also: start, vault, sandbox, catalogue
#   scripts/bench.sh --rounds 5           more runs of each
#   scripts/bench.sh iot                  only the IoT data path beside Telegraf; also: iot ours, iot queue|steady|away|idle
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

bench_venv=.tools/venv-bench

# Mitogen runs inside ansible-core, so it gets an environment of its own, with the same pinned versions.
mitogen() {
    pins=$(cat tools/python/requirements.txt tests/bench/mitogen.txt)
    [ "$(cat "$bench_venv/.pins" 2>/dev/null)" != "$pins" ] || return 0
    say "installing Mitogen into $bench_venv …"
    rm -rf "$bench_venv"
    .tools/venv/bin/python -m venv "$bench_venv" &&
        "$bench_venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps \
            -r tools/python/requirements.txt -r tests/bench/mitogen.txt &&
        printf '%s\n' "$pins" >"$bench_venv/.pins"
}

# The IoT data path beside Telegraf, one processor for each.
iot() {
    scripts/tools.sh telegraf || say "Telegraf could not be built: only ours is measured"
    [ -x "${CLUSTER_TOOLS_DIR:-.tools/bin}/telegraf" ] || set -- ours "$@"
    cargo build --quiet --release --locked --package data-ingestion --package device-management
    cargo bench --quiet --locked --package bench --bench iot -- "$@"
}

need cargo "install Rust with rustup: https://rustup.rs"
scripts/test-setup.sh
if [ "${1:-}" = iot ]; then
    shift
    iot "$@"
    exit
fi
scripts/venv.sh
# A peer that is missing is said in the table.
mitogen || say "Mitogen could not be installed and is left out"
scripts/tools.sh all || say "the sandbox will not be measured"
cargo build --quiet --release --locked --package cluster
cargo bench --quiet --locked --package bench --no-run
say "measuring; close what else uses this machine (load now: $(cut -d ' ' -f 1-3 /proc/loadavg 2>/dev/null || uptime))"
date -u +%Y-%m-%d
cargo bench --quiet --locked --package bench --bench speed -- "$@"
[ $# -gt 0 ] || iot

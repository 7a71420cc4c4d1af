#!/bin/sh
# Runs the tests of a level (all, unit, conformance, e2e) after setting up what they need, then sums up: passed, failed, skipped, left out.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

level=${1:-all}
need cargo "install Rust with rustup: https://rustup.rs"
mkdir -p target
log=target/test-$level.log

scripts/test-setup.sh
case $level in
    unit) set -- --workspace --exclude conformance --exclude e2e --exclude bench --exclude iot-path ;;
    conformance) set -- --package conformance ;;
    e2e) set -- --package e2e ;;
    all) set -- --workspace ;;
    *) fail "unknown level \`$level\`" "one of: all, unit, conformance, e2e" ;;
esac
if [ "$level" != unit ]; then
    # The tools build in Go while the tests compile in Rust.
    scripts/tools.sh all &
    tools=$!
    scripts/venv.sh test
    cargo test --quiet --no-run --locked "$@" || { wait "$tools" || true; exit 1; }
    wait "$tools"
    cargo build --quiet --locked --package cluster
fi
[ "$level" != all ] || scripts/check.sh

say "tests ($level); everything that they print goes to $log"
status=0
# Without backtraces: a failed test says where and why, and the lines of the others are still to be seen.
export RUST_BACKTRACE=0
# --show-output, so that a test that can not run here says why in the log even though it does not fail.
cargo test --no-fail-fast --locked "$@" -- --show-output > "$log" 2>&1 || status=$?

sum() { awk -v word="$1" '/^test result:/ { for (i = 1; i < NF; i++) if ($(i + 1) ~ "^" word) n += $i } END { print n + 0 }' "$log"; }
skipped=$(grep -c '^skipped: ' "$log" || true)
grep '^skipped: ' "$log" | sort | uniq -c || true
# A test that is left out says why in its `#[ignore = "…"]`, which is in its line.
grep '^test .* \.\.\. ignored' "$log" || true
if [ "$status" -ne 0 ]; then
    # What each failed test said, then the list of the targets; without the rest, the last lines of a CI's log are these.
    sed -n '/^failures:/,/^test result/p' "$log" | tail -n 200
    sed -n '/^error: [0-9]* targets* failed/,$p' "$log"
fi
say "$(sum passed) passed, $(sum failed) failed, $skipped skipped, $(sum ignored) left out"
exit "$status"

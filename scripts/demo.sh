#!/bin/sh
# From a fresh clone to a deployed, verified service: builds `cluster` and the tools that the sandbox needs, side by side,
# brings the sandbox up and deploys Ollama into it. The sandbox stays up.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need cargo "install Rust with rustup: https://rustup.rs"
# Go and Rust builds leave cores idle at different times, so they run together; the tools' log is shown when they fail.
scripts/tools.sh &
tools=$!
cargo build --quiet --profile demo --package cluster --locked || { wait "$tools" || true; exit 1; }
wait "$tools"

cluster=target/demo/cluster
"$cluster" sandbox up
"$cluster" deploy ollama --target sandbox
printf '\nThe sandbox stays up. Go on with:\n'
printf '  %s status --target sandbox\n' "$cluster"
printf '  %s deploy postgres --target sandbox\n' "$cluster"
printf '  scripts/tools.sh kubectl && %s sandbox kubectl get pods -l app=ollama\n' "$cluster"
printf '  %s sandbox down\n' "$cluster"

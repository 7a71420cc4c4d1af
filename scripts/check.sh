#!/bin/sh
# Everything that reads the code without running it. Under a minute when warm.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

say "formatting"
cargo fmt --all --check
say "lints"
cargo clippy --quiet --workspace --all-targets --locked -- -D warnings
say "shell scripts"
need shellcheck "install it: apt-get install shellcheck"
git ls-files '*.sh' '.ci/run' | xargs shellcheck -x -s sh

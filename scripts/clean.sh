#!/bin/sh
# Ends the sandbox, then removes what was built.
set -eu
cd "$(dirname "$0")/.."
for profile in demo debug release; do
    if [ -x "target/$profile/cluster" ]; then
        "target/$profile/cluster" sandbox down
        break
    fi
done
rm -rf target .tools .cluster

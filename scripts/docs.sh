#!/bin/sh
# Writes everything that is generated in docs/ anew; `make test` fails when one of these files is stale.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need cargo "install Rust with rustup: https://rustup.rs"
say "reference of services, command line, events and HTTP interfaces"
UPDATE_DOCS=1 cargo test --quiet --locked --package catalog --test schema
UPDATE_DOCS=1 cargo test --quiet --locked --package cluster --test reference
UPDATE_DOCS=1 cargo test --quiet --locked --package device-management --package data-ingestion --test openapi current
git --no-pager diff --stat -- docs

# `make demo` and `make test` set up everything they need; no other target has to be run before them.
.DEFAULT_GOAL := help
.PHONY: help demo demo-iot soak test check unit conformance e2e bench tools docs images audit clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Bring up the sandbox, deploy Ollama into it and verify it
	@scripts/demo.sh

demo-iot: ## Bring up the IoT data path, let devices send, and compare their ledger with InfluxDB
	@scripts/demo-iot.sh

soak: ## A million readings while every server is killed at random; then the same comparison
	@scripts/soak.sh

test: ## Run every test there is, and count what could not run
	@scripts/test.sh all

check: ## Formatting, lints, shell scripts, charts
	@scripts/check.sh

unit: ## Only the tests beside the code
	@scripts/test.sh unit

conformance: ## Only the comparisons with ansible-core and helm
	@scripts/test.sh conformance

e2e: ## Only the runs on the sandbox and over real SSH
	@scripts/test.sh e2e

bench: ## Compare speeds with ansible-core in one run, and print the ratios
	@scripts/bench.sh

tools: ## Build the control plane, kwok, helm and kubectl into .tools/bin
	@scripts/tools.sh all

docs: ## Generate the reference in docs/reference
	@scripts/docs.sh

images: ## Build OCI images of our services, without a container engine, into target/images
	@scripts/images.sh

audit: ## Check licences and advisories of the dependencies (needs cargo-deny)
	@cargo deny check

clean: ## End the sandbox and remove what was built
	@scripts/clean.sh

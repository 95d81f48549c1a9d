# The verbs. `make run` and `make test` set a bare Debian 12 with Rust and Python up by themselves (setup/);
# what they build and download lies outside the checkout, in ~/.cache/holdall or HOLDALL_CACHE.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run build check test conformance s3-tests model bench drill image

# Prepares the machine where that is still to do, and puts the environment of a build into the recipe.
environment := environment=$$(setup/env.sh) && eval "$$environment"
# A release build of the server, for everything that measures or that a user sees.
release := $(environment) && cargo build --release --locked && export HOLDALL_BIN="$$CARGO_TARGET_DIR/release/holdall"

help:
	@echo "make run          build the server and start it on ./data (ARGS=\"--address 0.0.0.0:9000 /mnt/disk1\")"
	@echo "make build        build the server, and say where it is"
	@echo "make check        formatting, lints, the rules of the house"
	@echo "make test         everything that must be green before a change is merged"
	@echo "make conformance  real clients against a server of its own"
	@echo "make s3-tests     the public ceph/s3-tests suite against a server of its own"
	@echo "make model        a million steps beside a model in memory, and the power cut or an error in every place"
	@echo "make drill        break disks in every way there is; count what was lost (ARGS=\"--only frozen\")"
	@echo "make bench        the load generator, beside other servers where they are installed"
	@echo "make image        a container image"

run:
	@$(release) && exec env -u HOLDALL_BIN -u HOLDALL_CACHE "$$HOLDALL_BIN" serve $(ARGS)

build:
	@$(release) && echo "$$HOLDALL_BIN"

check:
	@$(environment) && tests/check.sh

test:
	@$(environment) && tests/run.sh

conformance:
	@$(release) && conformance/run.sh $(ARGS)

s3-tests:
	@$(release) && s3-tests/run.sh $(ARGS)

drill:
	@$(release) && conformance/drills/torture.py $(ARGS)

model:
	@$(environment) && HOLDALL_MODEL_OPERATIONS=$${HOLDALL_MODEL_OPERATIONS:-1000000} HOLDALL_SWEEP=long \
	    cargo test --locked --features failpoints --test model --test sweep -- --nocapture $(ARGS)

bench:
	@$(release) && benches/run.sh $(ARGS)

image:
	docker build --file docker/Dockerfile --tag holdall:$(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1) --tag holdall:latest .

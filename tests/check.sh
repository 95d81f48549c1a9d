#!/usr/bin/env bash
# What needs no running: formatting, lints, licences, the rules of tests/tidy.rs.
#
# Usage: check.sh   (in the environment that setup/env.sh prints; `make check` does that)
set -euo pipefail
cd "$(dirname "$0")/.."

cargo fmt --check
cargo clippy --locked --all-targets --features failpoints --quiet -- -D warnings
# The product as it is released: without failpoints.
cargo clippy --locked --lib --bins --quiet -- -D warnings
if command -v cargo-deny >/dev/null; then
    cargo deny --log-level error check licenses bans sources
else
    echo "check: cargo-deny is not installed, licences are not checked" >&2
fi

# tidy.rs needs std alone: compiled by itself it answers in two seconds, before any dependency is built.
mkdir -p "$CARGO_TARGET_DIR/tidy"
CARGO_MANIFEST_DIR=$PWD rustc --edition 2024 --test -o "$CARGO_TARGET_DIR/tidy/tidy" tests/tidy.rs
"$CARGO_TARGET_DIR/tidy/tidy" --quiet

#!/usr/bin/env bash
# Sets the machine up for a build, as far as that is still to do, and prints the environment for it:
#
#   eval "$(setup/env.sh)"
#
# Everything that is built or downloaded lies in HOLDALL_CACHE (default ~/.cache/holdall), outside the checkout.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${HOLDALL_CACHE:-$HOME/.cache/holdall}
setup/system.sh
command -v cargo >/dev/null || PATH=$HOME/.cargo/bin:$PATH

printf 'export PATH=%q\n' "$PATH"
printf 'export CARGO_TARGET_DIR=%q\n' "${CARGO_TARGET_DIR:-$cache/target}"
setup/rocksdb.sh

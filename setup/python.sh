#!/usr/bin/env bash
# Makes a Python venv with the packages of requirements.txt, once, and prints the path of its `bin`.
#
# The venv lies in the cache under a name made of the interpreter and the pins: a changed pin is a new venv.
set -euo pipefail
cd "$(dirname "$0")"

cache=${HOLDALL_CACHE:-$HOME/.cache/holdall}
python=${PYTHON:-python3}
key=$( ("$python" --version; cat requirements.txt) | sha256sum | cut -c1-12)
venv=$cache/venv-$key

build() {
    echo "holdall: installing the Python packages of the test suites, once" >&2
    rm -rf "$venv"
    mkdir -p "$cache"
    if ! "$python" -m venv "$venv" >&2; then
        # Debian keeps ensurepip in a package of its own.
        local root=()
        [ "$(id -u)" = 0 ] || root=(sudo)
        "${root[@]}" apt-get update >&2 || true
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3-venv >&2
        rm -rf "$venv"
        "$python" -m venv "$venv" >&2
    fi
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r requirements.txt >&2
    touch "$venv/complete"
}

[ -f "$venv/complete" ] || build
echo "$venv/bin"

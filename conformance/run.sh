#!/usr/bin/env bash
# Runs the conformance suites: real clients against a running server.
#
#     conformance/run.sh                 every suite
#     conformance/run.sh --quick         the suites whose clients install in seconds (see setup/clients.sh)
#     conformance/run.sh boto3 rclone    these
#
# Starts a server of its own in a temporary directory, on free loopback ports, unless HOLDALL_ENDPOINT
# names a running one (then AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set too).
#
#     HOLDALL_BIN           the server; default: the newest of target/{release,quick,debug}/holdall
#     CONFORMANCE_VOLUMES   how many volumes it gets; default 1
#
# Prints one line for each check and closes with `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=(boto3 aws-cli s3cmd s5cmd rclone minio-py)
full=("${quick[@]}" restic sdk-js sdk-go sdk-java sdk-rust)

suites=()
for argument in "$@"; do
    case $argument in
    --quick) suites+=("${quick[@]}"); export CONFORMANCE_QUICK=1 ;;
    --help | -h) sed -n '2,/^set/{s/^# \{0,1\}//;/^set/d;p}' "$0"; exit ;;
    *) [ -x "conformance/$argument/run" ] || { echo "there is no suite $argument" >&2; exit 2; }
       suites+=("$argument") ;;
    esac
done
[ ${#suites[@]} -gt 0 ] || suites=("${full[@]}")

setup/clients.sh "${suites[@]}"
clients=${HOLDALL_CACHE:-$HOME/.cache/holdall}/clients
export CONFORMANCE_CLIENTS=$clients
export PATH=$clients/python/bin:$clients/go/bin:$PATH
[ -d "$clients/toolchain/bin" ] && PATH=$PATH:$clients/toolchain/bin

# Nothing of the user's own set-up may decide how a client behaves.
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_ENDPOINT_URL AWS_DEFAULT_REGION
export AWS_EC2_METADATA_DISABLED=true AWS_REGION=${AWS_REGION:-us-east-1}

work=$(mktemp -d "${TMPDIR:-/tmp}/holdall-conformance.XXXXXX")
server=
stop() {
    [ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start() {
    local target=${CARGO_TARGET_DIR:-target} binary=${HOLDALL_BIN:-} port admin volumes=() number
    if [ -z "$binary" ]; then
        binary=$(ls -t "$target"/{release,quick,debug}/holdall 2>/dev/null | head -1 || true)
        [ -n "$binary" ] || { echo "no server: build one (make build) or set HOLDALL_BIN" >&2; exit 2; }
    fi
    for number in $(seq "${CONFORMANCE_VOLUMES:-1}"); do
        mkdir -p "$work/volume$number"
        volumes+=("$work/volume$number")
    done
    port=$(free_port)
    admin=$(free_port)
    export AWS_ACCESS_KEY_ID=conformance AWS_SECRET_ACCESS_KEY=conformance-secret/with+signs
    export HOLDALL_ENDPOINT=http://127.0.0.1:$port HOLDALL_DOMAIN=holdall.test
    # Settings of the server that lie about in the environment do not count.
    local bare=() name
    for name in $(compgen -e HOLDALL_); do bare+=(-u "$name"); done
    env "${bare[@]}" "HOLDALL_ACCESS_KEY=$AWS_ACCESS_KEY_ID" "HOLDALL_SECRET_KEY=$AWS_SECRET_ACCESS_KEY" \
        "$binary" serve \
        --address "127.0.0.1:$port" --admin-address "127.0.0.1:$admin" --region "$AWS_REGION" \
        --domain "$HOLDALL_DOMAIN" "${volumes[@]}" >"$work/server.log" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        if python3 - "http://127.0.0.1:$admin/health/ready" 2>/dev/null <<'PY'
import sys, urllib.request
urllib.request.urlopen(sys.argv[1], timeout=2)
PY
        then
            echo "server: $binary at $HOLDALL_ENDPOINT, ${#volumes[@]} volume(s)"
            return
        fi
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    echo "the server did not become ready:" >&2
    cat "$work/server.log" >&2
    exit 1
}

[ -n "${HOLDALL_ENDPOINT:-}" ] || start

for suite in "${suites[@]}"; do
    started=$(date +%s)
    code=0
    : >"$work/output" # tail must find it
    "conformance/$suite/run" >>"$work/output" 2>"$work/errors" &
    suite_pid=$!
    tail -f -n +1 --pid="$suite_pid" "$work/output" 2>/dev/null || true
    wait "$suite_pid" || code=$?
    cat "$work/output" >>"$work/all"
    # A suite that dies half-way must not look like a short one that passed.
    if [ "$code" != 0 ] && ! grep -q '^FAILED' "$work/output" || ! grep -qE '^(ok|FAILED)' "$work/output"; then
        { echo "FAILED  $suite: the suite itself ended with exit code $code"
          sed 's/^/        | /' "$work/errors" | tail -40; } | tee -a "$work/all"
    fi
    echo "        $suite took $(($(date +%s) - started)) s"
done

if [ -n "$server" ] && ! kill -0 "$server" 2>/dev/null; then
    echo "FAILED  server: it is no longer running" | tee -a "$work/all"
    tail -20 "$work/server.log" | sed 's/^/        | /'
fi

passed=$(grep -c '^ok ' "$work/all" || true)
failed=$(grep -c '^FAILED' "$work/all" || true)
skipped=$(grep -c '^skipped' "$work/all" || true)
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]

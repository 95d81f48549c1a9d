#!/usr/bin/env bash
# Runs the public ceph/s3-tests suite, unchanged, and holds the results against expectations.txt.
#
# Usage: run.sh [PYTEST-ARGUMENT]...
#   With arguments (as `-k multipart`) only some cases run and what did not run is not complained about.
#
#   HOLDALL_BIN            the server to start on a scratch directory (`make s3-tests` and `make test` set it)
#   HOLDALL_ENDPOINT       instead: a running server, http://HOST:PORT, with HOLDALL_ACCESS_KEY and HOLDALL_SECRET_KEY
#   HOLDALL_S3TESTS_DIR    a checkout of the suite; default: cloned once into the cache
#   HOLDALL_S3TESTS_KEEP   a directory for results.json, collected.txt and logs (classify.py reads them)
set -euo pipefail
cd "$(dirname "$0")"

suite_url=https://github.com/ceph/s3-tests
suite_commit=8f0ae7b404a3a2fcf7038bf1e6bf29544fe9b6a3
workers=${HOLDALL_S3TESTS_WORKERS:-2}
# The longest takes 40 s beside other work.
case_limit_seconds=120
# The exit code for "not run": `make test` goes on without the suite where it cannot be had, and says so.
cannot_run=77
# They look at every bucket of the account, so nothing else may make one meanwhile.
account_wide='^test_s3\.py::(test_list_buckets_paginated|test_buckets_list_ctime|test_account_usage|test_head_bucket_usage)$'

here=$PWD
cache=${HOLDALL_CACHE:-$HOME/.cache/holdall}
suite=${HOLDALL_S3TESTS_DIR:-$cache/s3-tests-$suite_commit}
if [ ! -d "$suite/s3tests" ]; then
    echo "s3-tests: cloning the suite once" >&2
    mkdir -p "$(dirname "$suite")"
    rm -rf "$suite" "$suite.new"
    if ! GIT_TERMINAL_PROMPT=0 timeout 300 git clone --quiet "$suite_url" "$suite.new" ||
        ! git -C "$suite.new" checkout --quiet "$suite_commit"; then
        rm -rf "$suite.new"
        echo "s3-tests: cannot clone $suite_url; HOLDALL_S3TESTS_DIR can name a checkout" >&2
        exit "$cannot_run"
    fi
    mv "$suite.new" "$suite"
fi
found=$(git -C "$suite" rev-parse HEAD 2>/dev/null || echo unknown)
[ "$found" = "$suite_commit" ] || { echo "s3-tests: $suite is at $found, not at $suite_commit" >&2; exit 1; }
bin=$(../setup/python.sh)

scratch=$(mktemp -d "${TMPDIR:-/tmp}/holdall-s3-tests.XXXXXX")
server=
finish() {
    [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
    rm -rf "$scratch"
}
trap finish EXIT
keep=${HOLDALL_S3TESTS_KEEP:-$scratch/results}
mkdir -p "$keep"
rm -f "$keep/results.json"

export HOLDALL_ACCESS_KEY=${HOLDALL_ACCESS_KEY:-HOLDALLS3TESTSMAIN00}
export HOLDALL_SECRET_KEY=${HOLDALL_SECRET_KEY:-main/secret/of/the/s3/tests/00000000000}
if [ -n "${HOLDALL_ENDPOINT:-}" ]; then
    address=${HOLDALL_ENDPOINT#http://}
    address=${address%/}
else
    [ -x "${HOLDALL_BIN:-}" ] || { echo "s3-tests: set HOLDALL_BIN or HOLDALL_ENDPOINT (see make s3-tests)" >&2; exit 2; }
    read -r port admin_port < <("$bin/python" -c '
import socket
taken = [socket.socket() for _ in range(2)]
for one in taken: one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in taken))')
    address=127.0.0.1:$port
    "$HOLDALL_BIN" serve "$scratch/data" --address "$address" --admin-address "127.0.0.1:$admin_port" >"$keep/server.log" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        kill -0 "$server" 2>/dev/null || { cat "$keep/server.log" >&2; exit 1; }
        "$bin/python" -c 'import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1)' \
            "${address%:*}" "${address#*:}" 2>/dev/null && break
        sleep 0.1
    done
fi

export AWS_EC2_METADATA_DISABLED=true NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
# The canonical id of the main user, which the server makes up.
owner=$("$bin/python" -c '
import os, sys, boto3
client = boto3.client("s3", endpoint_url=f"http://{sys.argv[1]}", region_name="us-east-1",
                      aws_access_key_id=os.environ["HOLDALL_ACCESS_KEY"], aws_secret_access_key=os.environ["HOLDALL_SECRET_KEY"])
print(client.list_buckets().get("Owner", {}).get("ID", "main"))' "$address")
sed -e "s|@OWNER@|$owner|" -e "s|@HOST@|${address%:*}|" -e "s|@PORT@|${address#*:}|" \
    -e "s|@ACCESS_KEY@|$HOLDALL_ACCESS_KEY|" -e "s|@SECRET_KEY@|$HOLDALL_SECRET_KEY|" s3tests.conf.in >"$scratch/s3tests.conf"

export S3TEST_CONF=$scratch/s3tests.conf PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1
pytest() { (cd "$suite" && "$bin/python" -m pytest -p suite_plugin -p no:cacheprovider -q "$@"); }

# test_utils.py tests the suite itself.
files=(s3tests/functional/test_{s3,headers,iam,s3select,sns,sts}.py)
HOLDALL_COLLECTED=$keep/collected.txt pytest --collect-only "${files[@]}" >"$keep/collect.log" 2>&1 ||
    { tail -20 "$keep/collect.log" >&2; exit 1; }
# What is not S3 is not run; an unclassified case is.
awk 'NR == FNR { if ($0 !~ /^#/ && $NF ~ /^not-s3:/) { sub(/[ \t]+[^ \t]+$/, ""); skip[$0] } next }
     { split($0, field, "\t"); if (!(field[1] in skip)) print field[1] }' expectations.txt "$keep/collected.txt" >"$keep/cases.txt"

run=(--tb=native --no-header --timeout="$case_limit_seconds" --show-capture=no)
begun=$SECONDS
grep -Ev "$account_wide" "$keep/cases.txt" >"$scratch/together.txt"
grep -E "$account_wide" "$keep/cases.txt" >"$scratch/alone.txt" || true
export HOLDALL_RESULTS=$keep/results.json
HOLDALL_CASES=$scratch/alone.txt pytest "${run[@]}" "${files[@]}" "$@" >"$keep/pytest-alone.log" 2>&1 || true
HOLDALL_CASES=$scratch/together.txt pytest "${run[@]}" -n "$workers" "${files[@]}" "$@" >"$keep/pytest.log" 2>&1 || true
echo "s3-tests: $(wc -l <"$keep/cases.txt") cases selected, $((SECONDS - begun)) s, suite at $suite_commit"
[ -f "$keep/results.json" ] || { tail -20 "$keep/pytest.log" >&2; exit 1; }
if [ -n "$server" ] && ! kill -0 "$server" 2>/dev/null; then
    echo "s3-tests: the server died" >&2
    tail -20 "$keep/server.log" >&2
    exit 1
fi
"$bin/python" compare.py expectations.txt "$keep/collected.txt" "$keep/results.json" $([ $# -eq 0 ] || echo --some)

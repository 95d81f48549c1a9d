#!/usr/bin/env bash
# Measures Holdall beside other object storage servers on this machine and writes docs/performance.md.
#
#   HOLDALL_BIN=target/release/holdall benches/run.sh [--quick] [--peers LIST] [--workloads LIST]
#                                                     [--rounds N] [--duration SPAN]
#
# `make bench` builds a release and calls this. --quick is for trying the script: its figures mean nothing.
# Peers come from public registries into ${HOLDALL_CACHE:-~/.cache/holdall}/peers; all servers listen on loopback
# only, keep their data in one directory on one disk, and are stopped and cleared at the end, whatever happens.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${HOLDALL_CACHE:-$HOME/.cache/holdall}/peers
peers=seaweedfs,garage,nginx
workloads=standard
workloads_volumes=put:4KiB,get:4KiB,put:16MiB:4,get:16MiB:4:16
workloads_reading=head:4KiB,get:4KiB,get:64KiB:16:2000,get:1MiB:16:256,get:16MiB:4:16
rounds=5
duration=10s
output=$repository/docs/performance.md
results=$repository/benches/results

while [ $# -gt 0 ]; do
    case $1 in
        --quick)
            workloads=put:4KiB:16,get:4KiB:16:500,head:4KiB:16:500,list:128:1:2000,delete:4KiB:16:1000
            workloads_volumes=put:4KiB:16 workloads_reading=get:4KiB:16:500
            rounds=1 duration=1s
            output=$cache/quick/performance.md results=$cache/quick
            shift
            ;;
        --peers) peers=$2 && shift 2 ;;
        --workloads) workloads=$2 && shift 2 ;;
        --rounds) rounds=$2 && shift 2 ;;
        --duration) duration=$2 && shift 2 ;;
        *) echo "unknown option: $1" >&2 && exit 2 ;;
    esac
done

holdall=${HOLDALL_BIN:-}
if [ -z "$holdall" ]; then
    environment=$("$repository/setup/env.sh") && eval "$environment"
    (cd "$repository" && cargo build --release --locked)
    holdall=${CARGO_TARGET_DIR:-$repository/target}/release/holdall
fi
mkdir -p "$cache" "$results" "$(dirname "$output")"
data=$(mktemp -d "${HOLDALL_BENCH_DIR:-$cache}/run.XXXXXX")

# The same credentials everywhere, in the form that the strictest server asks for.
access_key=GK0123456789abcdef01234567
secret_key=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

# --- servers -----------------------------------------------------------------------------------------------------

running=()

stop_servers() {
    local pid
    for pid in "${running[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${running[@]}"; do
        for _ in $(seq 300); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
        kill -KILL "$pid" 2>/dev/null || true
    done
    running=() targets=() descriptions=()
    # What the servers stored; the tables beside it stay.
    rm -rf "$data"/*/
}
trap 'stop_servers; rm -rf "$data"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# start NAME PORT COMMAND…: runs a server in the background, waits until it listens, leaves its process id in $pid.
start() {
    local name=$1 port=$2
    shift 2
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        echo "$name: port $port is taken" >&2
        return 1
    fi
    "$@" >"$data/$name.log" 2>&1 &
    pid=$!
    running+=("$pid")
    for _ in $(seq 300); do
        if ! kill -0 "$pid" 2>/dev/null; then
            echo "$name: did not start" >&2
            tail -5 "$data/$name.log" >&2
            return 1
        fi
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return 0; fi
        sleep 0.1
    done
    echo "$name: does not listen on port $port" >&2
    return 1
}

# Each script installs a server (where needed), starts it, and appends to $targets and $descriptions.
targets=()
descriptions=()
add() { # add NAME PORT DESCRIPTION
    targets+=(--target "$1=http://127.0.0.1:$2,$access_key,$secret_key,$pid")
    descriptions+=(--describe "$1=$3")
}

wanted() { case ",$peers," in *",$1,"*) true ;; *) false ;; esac; }

compare() { # compare FILE WORKLOADS [OPTIONS…]: the targets at hand, in turn
    local file=$1 set=$2
    shift 2
    "$holdall" bench compare "${targets[@]}" "${descriptions[@]}" --workloads "$set" --rounds "$rounds" \
        --duration "$duration" --json "$results/$file.json" --markdown "$data/$file.md" "$@" >/dev/null
}

# shellcheck source=/dev/null
for script in "$repository"/benches/peers/*.sh; do . "$script"; done

# --- measurements ------------------------------------------------------------------------------------------------

start_holdall holdall 1 18900
for peer in seaweedfs garage; do
    if wanted "$peer" && "install_$peer"; then "start_$peer"; fi
done
compare servers "$workloads"
stop_servers

start_holdall holdall-3-volumes 3 18910
start_holdall holdall 1 18900
compare volumes "$workloads_volumes"
stop_servers

if wanted nginx && install_nginx; then
    start_holdall holdall 1 18900
    start_nginx
    compare reading "$workloads_reading"
    stop_servers
fi

"$repository/benches/page.sh" "$data" "$holdall" >"$output"
echo "written: $output"

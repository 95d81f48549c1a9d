#!/bin/sh
# Inside a container 127.0.0.1 would be unreachable from outside: listen on every address unless told otherwise.
set -eu
export HOLDALL_ADDRESS="${HOLDALL_ADDRESS:-0.0.0.0:9000}"
export HOLDALL_ADMIN_ADDRESS="${HOLDALL_ADMIN_ADDRESS:-0.0.0.0:9001}"
# exec: the server is process 1 and gets the signal to stop.
exec holdall "$@"

#!/usr/bin/env bash
# Everything that must be green before a change is merged; `make test`.
#
# One profile for all of it: the cargo tests build the server too (with debug assertions and failpoints), and the
# suites run against that one. Each step runs even when an earlier one failed, so that one run shows everything;
# the last line sums the counts up.
#
# Usage: run.sh [STEP]...   (check cargo conformance drill s3-tests; default all, in that order)
set -uo pipefail
cd "$(dirname "$0")/.."

logs=$CARGO_TARGET_DIR/test-logs
mkdir -p "$logs"
export HOLDALL_BIN=$CARGO_TARGET_DIR/debug/holdall

cargo_tests() { cargo test --locked --no-fail-fast --features failpoints; }
check() { tests/check.sh; }
conformance() { conformance/run.sh --quick; }
drill() { # the judge first; then every recipe in its short form (those that need root say so and are skipped)
    local status=0
    python3 -m unittest discover -s conformance/drills -p '*_test.py' || status=1
    conformance/drills/torture.py --short || status=1
    return $status
}
s3_tests() { # the suite is not ours: where it cannot be cloned the step is skipped, in plain sight
    local status=0
    s3-tests/run.sh || status=$?
    [ "$status" != 77 ] || { echo "s3-tests: SKIPPED, the public suite is not to be had on this machine"; return 0; }
    return $status
}

# Sums "12 passed; 0 failed" of cargo and "12 passed, 0 failed" of our runners over a log. Runners print one such
# line at the end; cargo prints one a test binary.
count() { # word, log
    grep -Eo "^(test result: [a-zA-Z]+\. )?[0-9]+ passed[;,] [0-9]+ failed" "$2" |
        grep -Eo "[0-9]+ $1" | awk '{ n += $1 } END { print n + 0 }'
}

passed=0 failed=0 broken=()
run() { # name, function
    local begun=$SECONDS log=$logs/$1.log status=0
    echo "== $1"
    "$2" 2>&1 | tee "$log" || status=1
    local step_failed; step_failed=$(count failed "$log")
    # A step that stops without having counted its failure is one failure.
    [ "$status" = 0 ] || [ "$step_failed" -gt 0 ] || step_failed=1
    passed=$((passed + $(count passed "$log")))
    failed=$((failed + step_failed))
    [ "$status" = 0 ] && [ "$step_failed" = 0 ] || broken+=("$1")
    echo "== $1: $((SECONDS - begun)) s, $([ "$status" = 0 ] && echo "as expected" || echo "FAILED, log in $log")"
}

steps=("$@")
[ ${#steps[@]} -gt 0 ] || steps=(check cargo conformance drill s3-tests)
for step in "${steps[@]}"; do
    case $step in
        check) run check check ;;
        cargo) run cargo cargo_tests ;;
        conformance) run conformance conformance ;;
        drill) run drill drill ;;
        s3-tests) run s3-tests s3_tests ;;
        *) echo "unknown step: $step" >&2; exit 2 ;;
    esac
done

[ ${#broken[@]} -eq 0 ] || echo "not green: ${broken[*]}"
echo "$passed passed, $failed failed"
[ ${#broken[@]} -eq 0 ]

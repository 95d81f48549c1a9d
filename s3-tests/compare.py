"""Holds the results of a run against expectations.txt and says every difference.

    compare.py EXPECTATIONS COLLECTED RESULTS [--some]

`--some`: only some cases were asked for; those that did not run are no difference.

A line of the expectations is a case, white space, and its class:

    pass               passes
    empty:FEATURE      passes before the feature is there, because it asks for a refusal only; proves nothing
    waits:FEATURE      does not pass before the feature is there
    not-s3:REASON      asks for something that is not S3; it is not run

Every collected case must have a line and every line a collected case. A case that should wait and passes is as
unexpected as one that should pass and does not: the list is to be true. Exit status 1 on any difference.
"""

import collections
import json
import sys


def read_expectations(path):
    expected = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            name, kind = line.rsplit(None, 1)
            if kind.split(":")[0] not in ("pass", "empty", "waits", "not-s3") or (kind != "pass" and ":" not in kind):
                sys.exit(f"{path}:{number}: no such class: {kind}")
            if name in expected:
                sys.exit(f"{path}:{number}: {name} is there twice")
            expected[name] = kind
    return expected


def main():
    expected = read_expectations(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        collected = {line.split("\t")[0] for line in file if line.strip()}
    with open(sys.argv[3], encoding="utf-8") as file:
        results = json.load(file)
    cases = results["cases"]

    unclassified = sorted(collected - expected.keys())
    gone = sorted(expected.keys() - collected)
    not_run = sorted(name for name in expected.keys() & collected if name not in cases and not_s3(expected[name]) is None)
    if "--some" in sys.argv[4:]:
        not_run = []
    lost, gained = [], []
    for name, case in sorted(cases.items()):
        kind = expected.get(name)
        passed = case["outcome"] == "passed"
        if kind and kind.split(":")[0] in ("pass", "empty") and not passed:
            lost.append(f"{name}  {case.get('reason', '')}")
        elif kind and kind.startswith("waits:") and passed:
            gained.append(f"{name}  was {kind}")

    for title, names in [
        ("should pass and did not", lost),
        ("should wait and passed (make the line say so)", gained),
        ("collected, without a line in the expectations", unclassified),
        ("in the expectations, not collected", gone),
        ("not run", not_run),
    ]:
        if names:
            print(f"{title}: {len(names)}")
            for name in names:
                print(f"  {name}")

    kinds = collections.Counter(kind for kind in expected.values())
    waits = sum(count for kind, count in kinds.items() if kind.startswith("waits:"))
    empty = sum(count for kind, count in kinds.items() if kind.startswith("empty:"))
    foreign = sum(count for kind, count in kinds.items() if kind.startswith("not-s3:"))
    by_feature = ", ".join(f"{kind[6:]} {count}" for kind, count in sorted(kinds.items()) if kind.startswith("waits:"))
    print(f"{len(collected)} cases: {kinds['pass']} expected to pass, {empty} to pass without proving anything,")
    print(f"  {waits} wait ({by_feature}), {foreign} are not S3")
    if results["unclean"]:
        print(f"{results['unclean']} tests left buckets behind")
    unexpected = len(lost) + len(gained) + len(unclassified) + len(gone) + len(not_run)
    as_expected = sum(1 for name, case in cases.items() if expected.get(name) == "pass" and case["outcome"] == "passed")
    print(f"s3-tests: {unexpected} unexpected")
    print(f"{as_expected} passed, {unexpected} failed")
    sys.exit(1 if unexpected else 0)


def not_s3(kind):
    """The reason, when a case is not S3."""
    return kind.split(":", 1)[1] if kind.startswith("not-s3:") else None


if __name__ == "__main__":
    main()

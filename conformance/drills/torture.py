#!/usr/bin/env python3
"""Every fault that this machine allows, under load, each ending with a census of bytes.

    conformance/drills/torture.py                     all recipes; writes docs/torture.md
    conformance/drills/torture.py --short             seconds each; writes nothing
    conformance/drills/torture.py --only frozen       those whose name contains the word; writes nothing
    conformance/drills/torture.py --list

With --results FILE the outcomes are also kept as JSON, those of earlier runs included, and the report is made of all.
"""

import argparse
import concurrent.futures
import dataclasses
import json
import multiprocessing
import os
import pathlib
import platform
import random
import subprocess
import sys
import time
import traceback

import outcome as results
from ground import Unavailable
from ground import janitor
from outcome import Outcome
from recipes import RECIPES
from rig import Trial
from server import binary

FRESH = multiprocessing.get_context("spawn")
ROOT = pathlib.Path(__file__).resolve().parents[2]


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--only", action="append", default=[], metavar="WORD", help="recipes whose name contains it")
    parser.add_argument("--short", action="store_true", help="the short form of each")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--jobs", type=int, help="recipes at once (default 1, so that figures are right; short: 3)")
    parser.add_argument("--list", action="store_true", help="name the recipes")
    parser.add_argument("--results", metavar="FILE", help="keep outcomes here, and report on all that are in it")
    parser.add_argument("--report", metavar="FILE", help="where the table goes (default docs/torture.md when all run)")
    return parser.parse_args()


def describe(program, seed, short):
    """What a result must say of where it comes from."""
    commit = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"],
                            capture_output=True, check=False).stdout.decode().strip()
    kind = subprocess.run(["stat", "-f", "-c", "%T", "/tmp"], capture_output=True, check=False).stdout.decode().strip()
    return {"date": results.today(), "commit": commit or "unknown", "build": pathlib.Path(program).parent.name,
            "machine": f"{os.cpu_count()} cores, Linux {platform.release().split('-')[0]}, {kind} and ext4 on loop",
            "form": "short" if short else "full", "seed": seed}


def attempt(name, program, arguments):
    """Runs one recipe; never raises."""
    recipe = next(recipe for recipe in RECIPES if recipe.name == name)
    begun = time.monotonic()
    with Trial(recipe.name, recipe.did, program, arguments.seed, arguments.short) as trial:
        outcome = trial.outcome
        try:
            recipe.run(trial)
        except Unavailable as reason:
            outcome.not_run = str(reason)
        except Exception as reason:  # a recipe that cannot go on has failed, and the others go on
            outcome.fail(f"{type(reason).__name__}: {str(reason)[-1500:]}")
            if not isinstance(reason, AssertionError):
                outcome.log = "\n".join(traceback.format_exc().splitlines()[-12:])
            elif trial.server:
                outcome.log = "\n".join(trial.server.last_words().splitlines()[-8:])
            if trial.load:
                trial.load.stop.set()
                outcome.take(trial.load)
    outcome.seconds = time.monotonic() - begun
    outcome.run = describe(program, arguments.seed, arguments.short)
    return outcome


def show(outcome):
    """One line, and what was wrong."""
    print(outcome.line(), flush=True)
    for fault in outcome.faults[:8]:
        print(f"        | {fault[:1200]}")
    if outcome.faults and outcome.log:
        print("        | " + "\n        | ".join(line[:300] for line in outcome.log.splitlines()))


def main():
    arguments = options()
    chosen = [recipe for recipe in RECIPES
              if not arguments.only or any(word in recipe.name for word in arguments.only)]
    if arguments.list:
        for recipe in chosen:
            print(f"{recipe.name:32} {recipe.did}")
        return 0
    program = binary()
    janitor()
    names = [recipe.name for recipe in chosen if recipe.in_short or not arguments.short]
    outcomes = []
    with concurrent.futures.ProcessPoolExecutor(arguments.jobs or (3 if arguments.short else 1),
                                                max_tasks_per_child=1, mp_context=FRESH) as pool:
        running = [pool.submit(attempt, name, program, arguments) for name in names]
        for done in concurrent.futures.as_completed(running):
            outcome = done.result()
            show(outcome)
            outcomes.append(outcome)
            if arguments.results:
                outcomes = keep(arguments.results, outcomes)
    outcomes.sort(key=lambda outcome: names.index(outcome.name) if outcome.name in names else -1)
    report = arguments.report or (str(ROOT / "docs/torture.md")
                                  if not arguments.short and (not arguments.only or arguments.results) else None)
    if report:
        results.write_report(report, outcomes)
        print(f"written: {report}")
    failed, skipped = sum(bool(o.faults) for o in outcomes), sum(bool(o.not_run) for o in outcomes)
    print(f"seed {arguments.seed}\n{sum(o.passed for o in outcomes)} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


def keep(path, outcomes):
    """Puts outcomes into the file, in the place of older ones of the same recipe; gives all, in the order of recipes."""
    file = pathlib.Path(path)
    kept = {fields["name"]: Outcome(**fields) for fields in json.loads(file.read_text())} if file.exists() else {}
    kept |= {outcome.name: outcome for outcome in outcomes}
    order = [recipe.name for recipe in RECIPES]
    ordered = sorted((o for o in kept.values() if o.name in order), key=lambda o: order.index(o.name))
    file.write_text(json.dumps([dataclasses.asdict(outcome) for outcome in ordered], indent=1))
    return ordered


if __name__ == "__main__":
    sys.exit(main())

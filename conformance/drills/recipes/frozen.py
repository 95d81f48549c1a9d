"""A volume whose I/O hangs, and one that is slow."""

import os
import time

from load import Shape
from recipes.recipe import Recipe

MIB = 1024 * 1024
MOVES = (("put_small", 20), ("put_large", 20), ("get", 40), ("get_base", 20))


def freeze_each(trial):
    """A volume without metadata, one with a follower, the one with the leader: fsfreeze under load."""
    short = trial.short
    volumes = [trial.ground.loop(f"disk{number}", 2048 * MIB) for number in range(4)]
    trial.serve([system.path for system in volumes],
                shape=Shape(writers=4, keys=20, large=300_000, multipart=False, moves=MOVES, pause=0.005))
    trial.load.lay_base(60 if short else 300, 100_000)
    trial.before()
    trial.until_replicated()
    for kind in ["leader"] if short else ["none", "follower", "leader"]:
        path = next(path for path, role in trial.roles().items() if role == kind)
        system = next(system for system in volumes if system.path == path)
        _freeze(trial, system, f"frozen {'data only' if kind == 'none' else kind}")
    trial.conclude()
    trial.outcome.expect_no_errors()


def _freeze(trial, system, what):
    settle, window = (5, 5) if trial.short else (10, 20)
    load = trial.load
    load.begin()
    load.running(2)
    begun = time.monotonic()
    load.running(window)
    baseline = {kind: load.latency(kind, begun, time.monotonic()) for kind in ("put", "get")}
    try:
        system.freeze()
        load.running(settle)
        begun = time.monotonic()
        load.running(window)
        ended = time.monotonic()
    finally:
        system.thaw()
    for kind in ("put", "get"):
        frozen = load.latency(kind, begun, ended)
        if trial.short:
            trial.outcome.figure(f"{what}: p99 {kind} {_ms(baseline[kind])} → {_ms(frozen)} ms")
            if frozen is None:
                trial.outcome.fail(f"{what}: {kind} stands still")
        else:
            trial.outcome.at_most(f"{what}: p99 {kind} {_ms(baseline[kind])} → {_ms(frozen)} ms, ratio",
                                  frozen and frozen / baseline[kind], 2.0)
    load.running(1)
    load.end()
    trial.until_repaired(60 if trial.short else 180)
    trial.until_usable(system.path)


def _ms(seconds):
    return "–" if seconds is None else f"{seconds * 1000:.0f}"


def throttle(trial):
    """One of three volumes at 1 MiB/s and 50 I/Os a second, by the block I/O controller."""
    group = trial.ground.group("blkio", "slow")
    volumes = [trial.ground.loop(f"disk{number}", 2048 * MIB) for number in range(3)]
    trial.serve([system.path for system in volumes],
                shape=Shape(writers=4, keys=20, large=300_000, multipart=False, moves=MOVES, pause=0.005))
    trial.load.lay_base(60 if trial.short else 300, 100_000)
    trial.before()
    load, window = trial.load, 4 if trial.short else 20
    load.begin()
    begun = time.monotonic()
    load.running(window)
    baseline = {kind: load.latency(kind, begun, time.monotonic()) for kind in ("put", "get")}
    number = os.stat(volumes[2].device()).st_rdev
    for way, limit in (("write_bps", MIB), ("read_bps", MIB), ("write_iops", 50), ("read_iops", 50)):
        _set(group / f"blkio.throttle.{way}_device", f"{os.major(number)}:{os.minor(number)} {limit}")
    _set(group / "cgroup.procs", str(trial.server.process.pid))
    try:
        load.running(3 if trial.short else 10)
        begun = time.monotonic()
        load.running(window)
        ended = time.monotonic()
    finally:
        _set(group.parent / "cgroup.procs", str(trial.server.process.pid))
    for kind in ("put", "get"):
        slow = load.latency(kind, begun, ended)
        trial.outcome.figure(f"p99 {kind} {_ms(baseline[kind])} → {_ms(slow)} ms, "
                             f"ratio {slow / baseline[kind] if slow else float('nan'):.2f}")
    load.end()
    trial.until_repaired(180)
    trial.conclude()
    trial.outcome.expect_no_errors()


def _set(path, text):
    path.write_text(text, encoding="ascii")


RECIPES = [
    Recipe("frozen volume", "fsfreeze of one of 4 volumes under load (R = 3): one without metadata, one with a "
           "follower, the one with the leader; p99 after 10 s, then thawed", freeze_each),
    Recipe("slow volume", "one of 3 volumes throttled to 1 MiB/s and 50 I/Os a second (blkio control group)", throttle,
           in_short=False),
]

"""The Nth call to the kernel fails, or is the last one: strace injects it, N goes up."""

import collections
import pathlib
import subprocess
import time

from ground import needs
from load import Shape
from load import Writer
from recipes.recipe import Recipe

CALLS = ("pwrite64", "fsync", "fdatasync", "renameat,rename", "openat", "unlink,unlinkat")


def sweep(trial, action, calls):
    """Every call, N = 1, 2, 3, …: a few writes of each kind, a restart without strace, everything is read."""
    needs("strace", root=False)
    volumes = [trial.ground.directory(f"volume{number}") for number in range(3)]
    trial.serve(volumes, shape=Shape(writers=0, keys=8, large=200_000, timeout=10))
    trial.load.lay_base(5, 60_000)
    trial.before()
    counts = collections.Counter()
    for at, call in enumerate(calls):
        for number in [1 + 2 * (at % 3)] if trial.short else [*range(1, 12), *range(12, 48, 6)]:
            for running in ([True] if trial.short else [True, False]):
                # From its start on, the first calls of openat only load libraries.
                first = number + (0 if running or call != "openat" else 30)
                counts[_one(trial, f"{call}:{action}:when={first}", call, running)] += 1
    trial.outcome.figure(", ".join(f"{number} × {what}" for what, number in sorted(counts.items())))
    trial.until_repaired(120)
    trial.conclude()
    trial.outcome.figure(f"{trial.outcome.errors_second} requests failed beside the fault")


def _one(trial, injection, call, running):
    """One round, from the start of the server or from when it is `running`; gives how it ended."""
    server = trial.server
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={injection}"]
    tracer = None
    try:
        if running:
            if not server.running():
                server.start()
            tracer = _attach(strace, server.process)
        else:
            server.kill()
            server.wrapper = strace
            server.start()
        ended = _write(trial)
    except AssertionError as reason:
        if "ended with" not in str(reason):
            trial.outcome.fail(f"{injection}: {reason}")
        ended = "ended while starting"
    finally:
        server.kill()
        server.wrapper = []
        if tracer:
            tracer.wait(10)
    try:
        server.start()
        trial.load.inspect()
    except AssertionError as reason:
        trial.outcome.fail(f"after {injection}: {str(reason)[:600]}")
        raise
    if trial.load.faults:
        trial.outcome.fail(f"{injection}: {dict(trial.load.faults)} {trial.load.reports[-2:]}")
    return ended


def _attach(strace, process):
    """Lets strace trace every thread of a process; back when it does, or when the process has ended: a signal may come
    with the first call, before strace has seen every thread."""
    tracer = subprocess.Popen([*strace, "-p", str(process.pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 10
    for task in _tasks(process):
        while not _is_traced(task):
            if process.poll() is not None:
                return tracer
            if time.monotonic() > end or tracer.poll() is not None:
                return tracer if _ends(process) else _give_up(tracer)
            time.sleep(0.01)
    return tracer


def _tasks(process):
    try:
        return list(pathlib.Path(f"/proc/{process.pid}/task").iterdir())
    except (FileNotFoundError, ProcessLookupError):  # the process has ended
        return []


def _ends(process):
    """Whether a process has ended. strace is gone a moment before that is told."""
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        return False
    return True


def _give_up(tracer):
    tracer.kill()
    tracer.wait()
    raise AssertionError("strace does not attach")


def _is_traced(task):
    try:
        return "TracerPid:\t0\n" not in (task / "status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):  # the thread has ended
        return True


def _write(trial):
    """A few moves of each kind; gives how it ended."""
    if not trial.server.running():
        return "ended"
    trial.load.round += 1
    writer = Writer(trial.load, 0)
    for move in ("put_small", "put_large", "get", "put_large", "delete", "copy", "put_small"):
        getattr(writer, move)()
        if not trial.server.running():
            return "ended"
    return "served on"


def fail_calls(trial):
    """EIO at the Nth call of each thread."""
    sweep(trial, "error=EIO", CALLS)


def no_space(trial):
    """ENOSPC at the Nth write or sync of each thread."""
    sweep(trial, "error=ENOSPC", ("pwrite64", "fdatasync", "fsync"))


def kill_calls(trial):
    """SIGKILL at the Nth call."""
    sweep(trial, "signal=SIGKILL", CALLS)


RECIPES = [
    Recipe("Nth call fails with EIO", "strace: pwrite64, fsync, fdatasync, rename, openat, unlink fail at the Nth call of "
           "each thread from the start and of a running server, N = 1, 2, 3, …", fail_calls),
    Recipe("Nth call fails with ENOSPC", "the same with ENOSPC for pwrite64, fdatasync, fsync", no_space, in_short=False),
    Recipe("killed at the Nth call", "the same with SIGKILL instead of an error", kill_calls),
]

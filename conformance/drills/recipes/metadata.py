"""A replica of the metadata is gone, or a bit of it has flipped."""

import os
import pathlib
import shutil
import subprocess
import time

import server as holdall
from load import Shape
from recipes.recipe import Recipe

MIB = 1024 * 1024
# Small bodies: they are rows, and what they write is metadata.
MOVES = (("put_small", 40), ("get", 40), ("get_base", 10), ("delete", 8), ("listing", 2))
CLASSES = {
    "SST": "*.sst", "blob file": "*.blob", "log": "*.log", "MANIFEST": "MANIFEST-*", "CURRENT": "CURRENT",
    "OPTIONS": "OPTIONS-*", "IDENTITY": "IDENTITY",
}


def files_of(volume, pattern):
    """The files of a class in a volume's metadata replica that have anything in them, newest last."""
    found = [path for path in (pathlib.Path(volume) / "meta").glob(pattern) if path.stat().st_size]
    return sorted(found, key=lambda path: path.name)


def flip(path, random):
    """Flips one bit of a file where it lies; gives its offset."""
    with open(path, "r+b") as file:
        size = os.fstat(file.fileno()).st_size
        at = random.randrange(size)
        file.seek(at)
        octet = file.read(1)[0]
        file.seek(at)
        file.write(bytes([octet ^ 1 << random.randrange(8)]))
        file.flush()
        os.fsync(file.fileno())
    return at


def _begin(trial, count=None):
    volumes = [trial.ground.directory(f"volume{number}") for number in range(3)]
    # A small budget: rows reach files soon, so that there is something to flip.
    trial.serve(volumes, shape=Shape(writers=4, keys=40, moves=MOVES), settings={"HOLDALL_MEMORY_BUDGET": "64MiB"})
    trial.load.lay_base(count or (300 if trial.short else 3000), 9_000)
    trial.before()
    trial.until_replicated()
    return volumes


def destroy(trial):
    """The directory meta/ of a follower, then of the leader, is removed under load."""
    volumes = _begin(trial)
    for role in ("follower", "leader"):
        victim = next(path for path, found in trial.roles().items() if found == role)
        with trial.load:
            trial.load.running(1 if trial.short else 5)
            shutil.rmtree(os.path.join(victim, "meta"), ignore_errors=True)
            # Files that are open live on: it is the next file of it that fails, or the scrub that looks.
            trial.load.running(2 if trial.short else 10)
            trial.run_job("scrub")
            seconds = trial.until_replicated()
            trial.outcome.figure(f"{role} removed: rebuilt {seconds:.1f} s after the scrub")
            trial.load.running(1)
    trial.server.stop()
    shutil.rmtree(os.path.join(volumes[0], "meta"))
    trial.server.start()
    with trial.load:
        trial.outcome.figure(f"removed while stopped: rebuilt {trial.until_replicated():.1f} s after the start")
        trial.load.running(1)
    trial.until_repaired()
    trial.conclude()
    trial.outcome.expect_no_errors()


def flip_each_class(trial):
    """One bit of one file of each class in turn, in one replica: while running, and while stopped."""
    _begin(trial)
    missing = []
    names = ["SST", "log", "MANIFEST"] if trial.short else list(CLASSES)
    for number, name in enumerate(names):
        for stopped in ([number % 2 == 1] if trial.short else [False, True]):
            role = "leader" if (number + stopped) % 2 else "follower"
            victim = next(path for path, found in trial.roles().items() if found == role)
            if not _flip_one(trial, victim, name, stopped):
                missing.append(name)
    if missing:
        trial.outcome.figure(f"no file of the class: {', '.join(sorted(set(missing)))}")
    trial.until_repaired()
    trial.conclude()
    trial.outcome.expect_no_errors()


def _flip_one(trial, victim, name, stopped):
    """One flip; gives whether there was a file of the class."""
    with trial.load:
        trial.load.running(0.5 if trial.short else 2)
    if stopped:
        trial.server.kill() if name == "log" else trial.server.stop()
    files = files_of(victim, CLASSES[name])
    if files:
        at = flip(files[-1], trial.random)
        what = f"{name} {'while stopped' if stopped else 'while running'}, offset {at} of {files[-1].name}"
    if stopped:
        trial.server.start()
    if not files:
        return False
    try:
        with trial.load:
            trial.load.running(0.5 if trial.short else 2)
            trial.run_job("scrub")
            trial.until_replicated()
    except AssertionError as reason:
        trial.outcome.fail(f"{what}: {reason}")
    return True


def rebuild_a_million(trial):
    """The metadata of a million objects, rebuilt beside light load after one replica was removed."""
    count = 5_000 if trial.short else 1_000_000
    volumes = [trial.ground.directory(f"volume{number}") for number in range(3)]
    trial.serve(volumes, shape=Shape(writers=1, pause=0.05, moves=MOVES))
    trial.load.lay_base(50, 9_000)
    laid = _lay(trial, count)
    trial.before()
    trial.until_replicated()
    victim = next(path for path, found in trial.roles().items() if found == "follower")
    size = sum(path.stat().st_size for path in files_of(victim, "*"))
    with trial.load:
        trial.load.running(1)
        trial.server.stop()
        shutil.rmtree(os.path.join(victim, "meta"))
        trial.server.start()
        begun = time.monotonic()
        trial.until_replicated(300)
        seconds = time.monotonic() - begun
    trial.outcome.repaired_seconds = seconds
    trial.outcome.at_most(f"{laid} objects, {size / MIB:.0f} MiB of metadata rebuilt in", seconds, 60, " s")
    trial.load.errors_first.clear()  # the restart itself is not the fault
    trial.load.errors_second.clear()
    trial.conclude()


def _lay(trial, count):
    """Writes objects of one byte through the S3 API until there are `count`; gives how many."""
    laid = 0
    environment = {**holdall.environment(), "AWS_ACCESS_KEY_ID": holdall.ACCESS_KEY,
                   "AWS_SECRET_ACCESS_KEY": holdall.SECRET_KEY}
    while laid < count:
        duration = 2 if trial.short else 30
        report = os.path.join(trial.ground.path, "bench.json")
        subprocess.run(
            [trial.program, "bench", "put", "--endpoint", f"http://127.0.0.1:{trial.server.port}", "--size", "1",
             "--concurrency", "64", "--duration", f"{duration}s", "--warm-up", "0s", "--keep", "--quiet",
             "--json", report, "--bucket", f"many-{laid}"],
            env=environment, check=True, capture_output=True, timeout=600)
        before, laid = laid, int(trial.metric("holdall_commits_total"))
        if laid <= before:
            raise AssertionError("the load generator wrote nothing")
    return laid


RECIPES = [
    Recipe("metadata replica destroyed", "meta/ removed under load: a follower's, the leader's; one more while stopped",
           destroy),
    Recipe("metadata bit flips by class", "one bit in one file of one replica: SST, blob file, log, MANIFEST, CURRENT, "
           "OPTIONS, IDENTITY; while running and while stopped, of leader and follower", flip_each_class),
    Recipe("metadata of a million objects", "one of three replicas removed; rebuilt beside light load", rebuild_a_million,
           in_short=False),
]

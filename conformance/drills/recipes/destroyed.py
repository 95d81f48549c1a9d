"""A volume is gone for good, and another takes its place."""

import os
import shutil
import subprocess
import time

from ground import forget_caches
from load import Shape
from recipes.recipe import Recipe

MIB = 1024 * 1024


def destroy_each(trial):
    """Each of three volumes in turn: its directory is removed under load, then it is replaced."""
    count, size = (60, 200_000) if trial.short else (1000, 1_400_000)
    volumes = [trial.ground.directory(f"volume{number}") for number in range(3)]
    trial.serve(volumes, shape=Shape(writers=4 if trial.short else 8))
    trial.load.lay_base(count, size)
    trial.before()
    for turn in range(1 if trial.short else 3):
        _destroy(trial, turn, loaded=turn != 0)
    trial.conclude()
    trial.outcome.expect_no_errors()


def _destroy(trial, turn, loaded):
    """One turn. The refill is measured beside load, or (when not `loaded`) without any."""
    path = trial.volumes[turn]
    identity = trial.volume_id(path)
    octets = sum(trial.census([path]).octets.values())
    trial.load.begin()
    trial.load.running(2 if trial.short else 8)
    shutil.rmtree(path, ignore_errors=True)  # the server may be writing into it
    shutil.rmtree(path, ignore_errors=True)
    trial.load.running(2 if trial.short else 12)
    if not loaded:
        trial.load.end()
    fresh = trial.ground.directory(f"replaced{turn}")
    forget_caches()
    begun = time.monotonic()
    trial.command("volume", "replace", identity, fresh, "--no-wait")
    trial.volumes[turn] = fresh
    seconds = _until_refilled(trial, fresh, octets, begun)
    trial.load.end()
    trial.until_repaired()
    trial.outcome.repaired_seconds = seconds
    if trial.short:
        return
    plain = _plain_copy(trial, trial.volumes[(turn + 1) % 3], octets)
    ratio = plain / seconds
    rate = octets / MIB / seconds
    where = "under load" if loaded else "idle"
    trial.outcome.at_least(f"refill {where} {rate:.0f} MiB/s, of a plain copy", ratio, 0.4 if loaded else 0.8)


def _until_refilled(trial, fresh, octets, begun):
    """Seconds until the fresh volume holds nearly all that the old one held; what clients delete meanwhile is spared."""
    root = os.path.join(fresh, "blobs")

    def full():
        done = subprocess.run(["du", "-sb", root], capture_output=True, check=False).stdout.split()
        return done and int(done[0]) >= octets * 0.97 and _queue(trial) == 0
    trial.until("the refill of the replaced volume", 300, full, every=0.1)
    return time.monotonic() - begun


def _queue(trial):
    return trial.admin("GET", "redundancy")["queued"]


def _plain_copy(trial, source, octets):
    """Seconds that cp and sync take for as many bytes, from one of the other volumes."""
    target = trial.ground.directory("plain")
    forget_caches()
    begun = time.monotonic()
    # Files may be reclaimed under its eyes: what was copied is what counts.
    subprocess.run(["cp", "-r", os.path.join(source, "blobs"), target], check=False, stderr=subprocess.DEVNULL)
    subprocess.run(["sync", "-f", target], check=True)
    seconds = time.monotonic() - begun
    copied = int(subprocess.run(["du", "-sb", target], capture_output=True, check=True).stdout.split()[0])
    shutil.rmtree(target)
    return seconds * octets / max(copied, 1)


RECIPES = [Recipe("volume destroyed", "each of 3 volumes in turn: directory removed under mixed load (R = 3), then "
                  "`holdall volume replace`; refill compared with cp and sync of the same bytes", destroy_each)]

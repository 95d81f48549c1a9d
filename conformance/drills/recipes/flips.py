"""Thousands of bits flip, on every volume, in parts and in metadata. The fault atlas keeps one good copy of each."""

import collections
import os

from ledger import read_content
from load import BUCKET
from load import Shape
from parts import part_paths
from recipes.metadata import files_of
from recipes.metadata import flip
from recipes.recipe import Recipe

# Classes whose every byte matters; in the others a flipped bit may well mean nothing.
CLASSES = ("*.sst", "*.blob", "*.log", "MANIFEST-*", "CURRENT")


def flip_thousands(trial):
    """Runs of flips; after each some is read, all is scrubbed and repaired, and the census must be full."""
    runs, in_parts, in_metadata = (2, 40, 5) if trial.short else (40, 230, 20)
    volumes = [trial.ground.directory(f"volume{number}") for number in range(3)]
    trial.serve(volumes, shape=Shape(writers=2, keys=20), settings={"HOLDALL_MEMORY_BUDGET": "64MiB"})
    trial.load.lay_base(60 if trial.short else 200, 150_000)
    with trial.load:
        trial.load.running(2)
    trial.before()
    trial.until_replicated()
    totals = collections.Counter()
    for number in range(runs):
        trial.until_repaired(120)
        atlas = _Atlas(trial)
        damaged = atlas.flip_parts(in_parts)
        totals["flips in parts"] += in_parts
        totals["flips in metadata"] += atlas.flip_metadata(in_metadata)
        totals["damaged copies"] += len(damaged)
        _read_some(trial, 20)
        with trial.load:  # beside the scrub
            trial.run_job("scrub", 600)
            trial.until_replicated()
        trial.until_repaired(300)
        taken = trial.census()
        # Of a copy that was damaged, the flipped bytes are gone from blobs/: repaired, or moved to quarantine.
        left = {part.path for part in taken.damaged} & damaged
        totals["not found"] += len(left)
        if not taken.full(trial.replicas):
            trial.outcome.fail(f"run {number}: {taken.short()}")
            break
    trial.outcome.figure(f"{runs} runs; " + ", ".join(f"{value} {name}" for name, value in sorted(totals.items())))
    if totals["not found"]:
        trial.outcome.fail(f"{totals['not found']} damaged copies were neither found by read nor by scrub")
    trial.conclude()
    trial.outcome.expect_no_errors()


class _Atlas:
    """Which copies may be damaged: never the last good one of a blob, and metadata on one volume only."""

    def __init__(self, trial):
        self.trial = trial
        self.random = trial.random
        self.copies = collections.defaultdict(list)
        for volume in trial.volumes:
            for path in part_paths(volume):
                self.copies[os.path.basename(path)].append(path)
        self.damaged = collections.defaultdict(set)

    def flip_parts(self, number):
        """Flips that many bits in part files; gives the paths that are damaged now."""
        blobs = sorted(self.copies)
        done = 0
        while done < number:
            blob = self.random.choice(blobs)
            path = self.random.choice(self.copies[blob])
            damaged = self.damaged[blob]
            if path not in damaged and len(damaged) + 1 >= len(self.copies[blob]):
                continue
            try:
                flip(path, self.random)
            except FileNotFoundError:  # reclaimed meanwhile
                continue
            damaged.add(path)
            done += 1
        return {path for paths in self.damaged.values() for path in paths}

    def flip_metadata(self, number):
        """Flips that many bits in the files of one replica; gives how many."""
        victim = self.random.choice(sorted(self.trial.roles()))
        done = 0
        for _ in range(number):
            files = [path for pattern in CLASSES for path in files_of(victim, pattern)]
            if not files:
                break
            try:
                flip(self.random.choice(files), self.random)
                done += 1
            except FileNotFoundError:  # compacted meanwhile
                continue
        return done


def _read_some(trial, number):
    """Reads that must be right although copies are bad."""
    client = trial.connect()
    for key in trial.random.sample(trial.load.base, min(number, len(trial.load.base))):
        _read(trial, client, key)


def _read(trial, client, key):
    status, _, body = client.request("GET", f"/{BUCKET}/{key}")
    content = read_content(body) if status == 200 else None
    if status != 200:
        trial.outcome.fail(f"GET {key} beside bad copies: {status}")
    elif content is None or trial.load.ledger.judge(key, content):
        trial.load.fault("wrong bytes", f"{key}: read {content}")


RECIPES = [Recipe("bit flips", "random single bits in part files and in one metadata replica, on all volumes, never the "
                  "last good copy; then reads, a scrub beside load, repair, census; in runs", flip_thousands)]

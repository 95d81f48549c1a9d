"""The process dies, or the power goes: kill.py and power.py, and their counts."""

import os
import pathlib
import re
import subprocess
import sys

from ground import Unavailable
from ground import needs
from recipes.recipe import Recipe

HERE = pathlib.Path(__file__).resolve().parents[1]


def _run(trial, script, *words):
    done = subprocess.run(
        [sys.executable, str(HERE / script), *words, "--seed", str(trial.seed)],
        env={**os.environ, "HOLDALL_BIN": trial.program}, capture_output=True, check=False, timeout=7200)
    text, outcome = done.stdout.decode(), trial.outcome
    found = re.search(r"(\d+) cycles, (\d+) writers, (\d+) writes acknowledged", text)
    damage = re.search(r"found: (\d+) lost, (\d+) torn, (\d+) resurrected", text)
    ready = re.search(r"ready after (.*)", text)
    if "skipped: " in text:
        raise Unavailable(text.partition("skipped: ")[2].partition("\n")[0])
    if not found or not damage:
        outcome.fail(f"{script} ended with {done.returncode}: {text[-500:]}{done.stderr.decode()[-500:]}")
        return
    outcome.acknowledged += int(found[3])
    outcome.lost += int(damage[1])
    outcome.torn += int(damage[2])
    outcome.resurrected += int(damage[3])
    outcome.figure(f"{found[1]} cycles of {found[2]} writers" + (f", ready after {ready[1]}" if ready else ""))
    for line in text.splitlines():
        if line.startswith("of the blocks"):
            outcome.figure(line)
    if done.returncode:
        outcome.fail(text[-800:])


def kill(trial):
    """kill -9 at random moments, one volume and three."""
    cycles, ready = ("2", "4") if trial.short else ("50", "2")
    _run(trial, "kill.py", "--cycles", cycles, "--ready-within", ready)
    _run(trial, "kill.py", "--cycles", cycles, "--volumes", "3", "--ready-within", ready)


def power(trial):
    """ext4 is shut down without a flush, one volume and three on it."""
    cycles, ready = ("1", "4") if trial.short else ("20", "2")
    _run(trial, "power.py", "--cycles", cycles, "--ready-within", ready)
    _run(trial, "power.py", "--cycles", cycles, "--volumes", "3", "--ready-within", ready)


def torn(trial):
    """What was not flushed is there in part, in any order: ext4 over a block device of our own."""
    needs("mkfs.ext4", "losetup")
    if not os.path.exists("/dev/fuse"):
        raise Unavailable("needs FUSE")
    cycles, ready = ("1", "10") if trial.short else ("20", "5")
    _run(trial, "torn.py", "--cycles", cycles, "--volumes", "3", "--ready-within", ready)


RECIPES = [
    Recipe("killed", "kill -9 under 16 mixed writers, with 1 and with 3 volumes", kill),
    Recipe("power lost", "ext4 shutdown without a flush of its journal under 16 mixed writers, with 1 and with 3 volumes",
           power),
    Recipe("power lost, torn writes", "the block device (FUSE below loop) keeps a random part of what was not flushed, some "
           "of it cut at a sector, in any order", torn),
]

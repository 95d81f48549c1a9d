"""A store that is full."""

import os
import time

from load import BUCKET
from load import Shape
from load import Writer
from recipes.recipe import Recipe

MIB = 1024 * 1024


def fill_delete_resume(trial):
    """Fill until nothing more is taken, delete on the full store, go on; without a restart."""
    turns, size = (2, 96 * MIB) if trial.short else (20, 256 * MIB)
    systems = [trial.ground.tmpfs(f"disk{number}", size) for number in range(3)]
    trial.serve([system.path for system in systems], shape=Shape(writers=4), settings={"HOLDALL_MEMORY_BUDGET": "64MiB"})
    trial.load.lay_base(20, 100_000)
    trial.before()
    resumed = []
    for turn in range(turns):
        ballast = _fill(trial, systems, turn, foreign=turn % 2 == 1)
        _delete(trial)
        if ballast:
            for path in ballast:
                os.unlink(path)
        resumed.append(_resume(trial))
    trial.outcome.figure(f"{turns} times; every second time the last byte of each disk was taken by others")
    trial.outcome.at_most("writes are taken again after at most", max(resumed), 30, " s")
    trial.until_repaired()
    trial.conclude()
    # 507 is the right answer of a full store.
    trial.outcome.figure(f"{trial.outcome.errors_second} writes refused while full")


def _fill(trial, systems, turn, foreign):
    """Writes until three writes in a row are refused, each with 507; then takes what is left, when `foreign`."""
    writer = Writer(trial.load, 100 + turn)
    refused, written = 0, 0
    while refused < 3:
        written += 1
        if written > 4000:
            raise AssertionError("the store does not fill")
        refused = 0 if writer.put(f"fill/{turn}/{written}", 700_000 if written % 4 else 9_000) else refused + 1
    ballast = []
    for system in systems if foreign else []:
        path = os.path.join(system.path, "of-others")
        with open(path, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(64 * 1024))
            except OSError:
                ballast.append(path)
    if foreign:  # nothing can be written now, inline or not; nothing may be acknowledged and lost
        for number in range(5):
            writer.put(f"fill/{turn}/none{number}", 5_000 if number % 2 else 50_000)
    return ballast


def _delete(trial):
    """Deletes all that filled it. With room for metadata every delete must work; without it may have to wait."""
    client, ledger = trial.connect(), trial.load.ledger
    keys = [key for key, _, _ in client.list(BUCKET) if key.startswith("fill/")]
    failed = 0
    for key in keys:
        operation = ledger.sent(key, None)
        status, _, body = client.request("DELETE", f"/{BUCKET}/{key}")
        if status == 204:
            ledger.answered(operation)
        else:
            ledger.failed(operation)
            failed += 1
            if failed == 1:
                trial.outcome.figure(f"delete on a full store: {status} {body[:80]!r}")
        if failed > 20:
            break
    if failed and not any(os.path.exists(os.path.join(path, "of-others")) for path in trial.volumes):
        trial.outcome.fail(f"{failed} deletes failed on a full store")


def _resume(trial):
    """Seconds until a write is taken; then deletes what may be left."""
    begun = time.monotonic()
    writer = Writer(trial.load, 9000 + int(begun))
    trial.until("writes to be taken again", 60, lambda: writer.put("resumed", 100_000), every=0.2)
    seconds = time.monotonic() - begun
    _delete(trial)
    return seconds


RECIPES = [Recipe("full store", "3 small tmpfs volumes filled until 507, everything deleted, written again; every second "
                  "time other files take the last byte of every disk", fill_delete_resume)]

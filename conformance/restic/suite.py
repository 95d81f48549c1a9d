"""restic: a backup that must come back, bit for bit."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from checks import MIB
from checks import Command
from checks import Target
from checks import check
from checks import equal
from checks import main
from checks import random_bytes
from checks import true

target = Target("restic")


class Restic(Command):
    """`restic` with its repository in a bucket of its own making."""

    def __init__(self):
        super().__init__(os.environ.get("RESTIC", "restic"), {
            "RESTIC_REPOSITORY": f"s3:{target.endpoint}/{target.bucket}/repository",
            "RESTIC_PASSWORD": "conformance",
            "AWS_DEFAULT_REGION": target.region,
            "RESTIC_PROGRESS_FPS": "0.1",
        })

    def snapshots(self):
        return json.loads(self("snapshots", "--json"))


def same(restic, name, restored):
    path = os.path.join(restic.path(restored), restic.path(name).lstrip("/"))
    with open(path, "rb") as data:
        true(data.read() == restic.read(name), f"{name}: bytes differ")


@check("init makes the bucket; init again is refused")
def init(restic):
    restic.fails("snapshots", saying="")
    restic("init")
    restic.fails("init", saying="already")
    equal(restic.snapshots(), [], "snapshots")


@check("backup of 60 MiB in 300 files, check --read-data")
def backup(restic):
    restic.file("home/big", random_bytes(48 * MIB, "restic"))
    for number in range(300):
        restic.file(f"home/{number % 5}/file {number} ü", random_bytes(40_000, number))
    restic("backup", restic.path("home"))
    restic("check", "--read-data")
    equal(len(restic.snapshots()), 1, "snapshots")


@check("restore: every byte comes back")
def restore(restic):
    restic("restore", "latest", "--target", restic.path("restored"))
    for name in ["home/big", *(f"home/{number % 5}/file {number} ü" for number in range(300))]:
        same(restic, name, "restored")


@check("second backup, find, dump, diff")
def second(restic):
    restic.file("home/new", b"new in the second")
    restic.file("home/0/file 0 ü", b"changed")
    restic("backup", restic.path("home"))
    first, latest = (snapshot["short_id"] for snapshot in restic.snapshots())
    equal(restic.bytes("dump", "latest", restic.path("home/new")), b"new in the second", "dump")
    true("home/new" in restic("diff", first, latest), "diff")
    true("new" in restic("find", "new"), "find")


@check("forget --prune: the first goes, the second stays whole")
def forget(restic):
    os.remove(restic.path("home/big"))
    restic("backup", restic.path("home"))
    restic("forget", "--keep-last", "1", "--prune")
    equal(len(restic.snapshots()), 1, "snapshots")
    restic("check", "--read-data")
    restic("restore", "latest", "--target", restic.path("again"))
    for name in ("home/new", "home/0/file 0 ü", "home/1/file 1 ü"):
        same(restic, name, "again")


@check("locks and cache: unlock, rebuild index")
def locks(restic):
    restic("unlock", "--remove-all")
    restic("repair", "index")
    restic("list", "packs", "--no-lock")
    equal(restic("list", "locks", "--no-lock").strip(), "", "locks left")


main("restic", Restic())

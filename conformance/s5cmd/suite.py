"""s5cmd: AWS SDK for Go v1, many requests at once."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from checks import MIB
from checks import ODD_KEYS
from checks import Command
from checks import Target
from checks import check
from checks import equal
from checks import http
from checks import main
from checks import random_bytes
from checks import true

target = Target("s5cmd")
ROOT = f"s3://{target.bucket}"


class S5cmd(Command):
    """`s5cmd` with nothing but an endpoint."""

    def __init__(self):
        super().__init__(
            os.environ.get("S5CMD", "s5cmd"), {"AWS_REGION": target.region},
            options=["--endpoint-url", target.endpoint],
        )

    def rows(self, *arguments):
        """The JSON lines that a command prints."""
        done = self.run("--json", *arguments)
        if done.returncode != 0:
            raise AssertionError(done.stderr.decode())
        return [json.loads(line) for line in done.stdout.decode().splitlines()]


@check("mb, ls, mb again")
def buckets(s5cmd):
    s5cmd("mb", ROOT)
    true(ROOT in s5cmd("ls"), "listed")


@check("cp, cat, pipe, head")
def copies(s5cmd):
    for name, size in (("empty", 0), ("small", 1000), ("medium", 3 * MIB)):
        data = random_bytes(size)
        s5cmd("cp", s5cmd.file(name, data), f"{ROOT}/{name}")
        true(s5cmd.bytes("cat", f"{ROOT}/{name}") == data, f"{name}: bytes differ")
    equal(s5cmd.rows("head", f"{ROOT}/small")[0]["size"], 1000, "head")
    data = random_bytes(12 * MIB, "pipe")
    s5cmd.bytes("pipe", f"{ROOT}/pipe", data=data)
    true(s5cmd.bytes("cat", f"{ROOT}/pipe") == data, "pipe: bytes differ")


@check("cp of 64 MiB: multipart up, ranged down")
def multipart(s5cmd):
    data = random_bytes(64 * MIB)
    s5cmd("cp", "--part-size", "10", "--metadata", "a=1", "--content-type", "x/y", s5cmd.file("big", data),
          f"{ROOT}/big")
    s5cmd("cp", "--part-size", "7", f"{ROOT}/big", s5cmd.path("down"))
    true(s5cmd.read("down") == data, "bytes differ")
    row = s5cmd.rows("head", f"{ROOT}/big")[0]
    equal((row["size"], row["metadata"], row["content_type"]), (len(data), {"a": "1"}, "x/y"), "head")


@check("a thousand small files at once, ls, du, rm")
def many(s5cmd):
    for number in range(1000):
        s5cmd.file(f"many/{number % 10}/{number:04}", str(number).encode())
    s5cmd("cp", s5cmd.path("many/"), f"{ROOT}/many/")
    rows = s5cmd.rows("ls", f"{ROOT}/many/*")
    equal(len(rows), 1000, "objects listed")
    equal([row["key"].split("/")[-2] for row in s5cmd.rows("ls", f"{ROOT}/many/") if row["type"] == "directory"],
          [str(number) for number in range(10)], "folders")
    equal(s5cmd.rows("du", f"{ROOT}/many/*")[0]["count"], 1000, "du")
    s5cmd("cp", f"{ROOT}/many/*", s5cmd.path("back/"))
    equal(s5cmd.read("back/7/0997"), b"997", "one of the files read back")
    s5cmd("rm", f"{ROOT}/many/*")
    s5cmd.fails("ls", f"{ROOT}/many/*", saying="no object found")


@check("odd keys")
def odd_keys(s5cmd):
    path = s5cmd.file("one", b"1")
    # `?` and `*` are wildcards to s5cmd, and it strips a trailing slash from a target.
    keys = [key for key in ODD_KEYS if not set(key) & set("?*") and not key.endswith("/") and len(key) < 900]
    for key in keys:
        s5cmd("cp", path, f"{ROOT}/odd/{key}")
    listed = [row["key"].split("/odd/", 1)[1] for row in s5cmd.rows("ls", f"{ROOT}/odd/*")]
    equal(sorted(listed), sorted(keys), "ls")
    for key in keys:
        equal(s5cmd.bytes("cat", "--raw", f"{ROOT}/odd/{key}"), b"1", key)
    s5cmd("rm", f"{ROOT}/odd/*")


@check("server-side cp, mv, sync")
def server_side(s5cmd):
    s5cmd("cp", f"{ROOT}/small", f"{ROOT}/copied")
    s5cmd("mv", f"{ROOT}/copied", f"{ROOT}/moved")
    true(s5cmd.bytes("cat", f"{ROOT}/moved") == random_bytes(1000), "moved: bytes differ")
    for name in ("a", "b/c"):
        s5cmd.file(f"tree/{name}", name.encode())
    s5cmd("sync", s5cmd.path("tree/"), f"{ROOT}/tree/")
    os.remove(s5cmd.path("tree/a"))
    true("rm" in s5cmd("sync", "--delete", s5cmd.path("tree/"), f"{ROOT}/tree/"), "the removed file is removed")
    equal([row["key"].rsplit("/", 1)[1] for row in s5cmd.rows("ls", f"{ROOT}/tree/*")], ["c"], "after sync")


@check("presign")
def presign(s5cmd):
    status, _, body = http("GET", s5cmd("presign", "--expire", "60s", f"{ROOT}/small").strip())
    equal((status, body), (200, random_bytes(1000)), "GET")


@check("errors: NoSuchBucket, NoSuchKey")
def errors(s5cmd):
    s5cmd.fails("ls", f"s3://absent-{target.bucket}", saying="NoSuchBucket")
    s5cmd.fails("cat", f"{ROOT}/absent", saying="not found")
    s5cmd.fails("head", f"{ROOT}/absent", saying="not found")
    s5cmd.fails("rb", ROOT, saying="BucketNotEmpty")


@check("rm of everything, rb")
def clean(s5cmd):
    s5cmd("rm", f"{ROOT}/*")
    s5cmd("rb", ROOT)
    true(ROOT not in s5cmd("ls"), "bucket gone")


main("s5cmd", S5cmd())

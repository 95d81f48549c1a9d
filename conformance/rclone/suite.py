"""rclone as provider "Other", with no quirk set: what works here works for a plain S3 server."""

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

target = Target("rclone")
ROOT = f"server:{target.bucket}"


class Rclone(Command):
    """`rclone` with a remote made of provider, keys, region and endpoint."""

    def __init__(self):
        super().__init__(os.environ.get("RCLONE", "rclone"))
        config = self.file(".config/rclone/rclone.conf", (
            "[server]\ntype = s3\nprovider = Other\n"
            f"access_key_id = {target.access_key}\nsecret_access_key = {target.secret_key}\n"
            f"region = {target.region}\nendpoint = {target.endpoint}\n"
        ).encode())
        self.options = ["--config", config, "--retries=1", "--low-level-retries=2"]


def tree(rclone):
    """A folder with whatever a home directory may hold; gives its files by name."""
    files = {"empty": b"", "small": b"small", "b/c/deep": b"deep", "b/big": random_bytes(12 * MIB, "tree")}
    files.update({f"odd/{key}": key.encode() for key in ODD_KEYS if "//" not in key and key[0] != "/" and
                  not key.endswith("/") and len(key) < 200 and key != "folder/inside"})
    for name, data in files.items():
        rclone.file(f"tree/{name}", data)
    return files


@check("mkdir, again, lsd")
def buckets(rclone):
    rclone("mkdir", ROOT)
    rclone("mkdir", ROOT)
    true(target.bucket in rclone("lsd", "server:"), "listed")


@check("sync up, check, and nothing left to do")
def sync_up(rclone):
    tree(rclone)
    rclone("sync", rclone.path("tree"), f"{ROOT}/tree")
    rclone("check", rclone.path("tree"), f"{ROOT}/tree")
    rclone("check", "--download", rclone.path("tree"), f"{ROOT}/tree")
    done = rclone.run("sync", "-v", "--use-json-log", rclone.path("tree"), f"{ROOT}/tree").stderr.decode()
    true("Copied" not in done, f"copied again: {done[-2000:]}")


@check("lsf and size")
def listing(rclone):
    files = tree(rclone)
    listed = rclone("lsf", "-R", "--files-only", f"{ROOT}/tree").splitlines()
    equal(sorted(listed), sorted(files), "lsf -R")
    equal(sorted(rclone("lsf", f"{ROOT}/tree").splitlines()), ["b/", "empty", "odd/", "small"], "lsf")
    size = json.loads(rclone("size", "--json", f"{ROOT}/tree"))
    equal((size["count"], size["bytes"]), (len(files), sum(map(len, files.values()))), "size")


@check("modification times survive (X-Amz-Meta-Mtime)")
def times(rclone):
    path = rclone.file("dated", b"dated")
    os.utime(path, ns=(1_600_000_000_123_456_789, 1_600_000_000_123_456_789))
    rclone("copyto", path, f"{ROOT}/dated")
    rclone("copyto", f"{ROOT}/dated", rclone.path("dated.back"))
    equal(os.stat(rclone.path("dated.back")).st_mtime_ns, 1_600_000_000_123_456_789, "mtime")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    rclone("copyto", path, f"{ROOT}/dated")  # same content: only the metadata is renewed, by a copy onto itself
    true("2023-11-14" in rclone("lsl", f"{ROOT}/dated"), "new mtime")


@check("change, delete, sync again, sync down")
def sync_down(rclone):
    files = tree(rclone)
    os.remove(rclone.path("tree/small"))
    rclone.file("tree/b/c/deep", b"changed")
    rclone("sync", rclone.path("tree"), f"{ROOT}/tree")
    rclone("sync", f"{ROOT}/tree", rclone.path("back"))
    for name in files:
        if name != "small":
            true(rclone.read(f"back/{name}") == rclone.read(f"tree/{name}"), f"{name}: bytes differ")
    true(not os.path.exists(rclone.path("back/small")), "the deleted file is gone")


@check("copyto of 40 MiB in parts, streamed up, cat with ranges")
def multipart(rclone):
    data = random_bytes(40 * MIB, "rclone")
    path = rclone.file("big", data)
    rclone("copyto", "--s3-upload-cutoff=8M", "--s3-chunk-size=8M", path, f"{ROOT}/big")
    rclone("check", "--download", "--one-way", path, ROOT)
    md5sum = rclone("md5sum", f"{ROOT}/big").split()[0]
    equal(md5sum, rclone("md5sum", path).split()[0], "MD5 in the metadata")
    rclone.bytes("rcat", f"{ROOT}/streamed", data=data)
    true(rclone.bytes("cat", f"{ROOT}/streamed") == data, "streamed: bytes differ")
    equal(rclone.bytes("cat", "--offset", "9000000", "--count", "100", f"{ROOT}/big"), data[9000000:9000100], "range")
    equal(rclone.bytes("cat", "--tail", "100", f"{ROOT}/big"), data[-100:], "tail")
    rclone("copyto", "--multi-thread-streams=4", "--multi-thread-cutoff=8M", f"{ROOT}/big", rclone.path("big.down"))
    true(rclone.read("big.down") == data, "downloaded by four streams: bytes differ")


@check("server-side copy and move")
def server_side(rclone):
    rclone("copyto", f"{ROOT}/big", f"{ROOT}/big.copy")
    rclone("moveto", f"{ROOT}/big.copy", f"{ROOT}/dir/moved")
    rclone("copyto", "--s3-copy-cutoff=8M", "--s3-chunk-size=8M", f"{ROOT}/big", f"{ROOT}/dir/in-parts")
    for name in ("moved", "in-parts"):
        true(rclone.bytes("cat", f"{ROOT}/dir/{name}") == rclone.read("big"), f"{name}: bytes differ")
    equal(rclone("lsf", f"{ROOT}/dir").split(), ["in-parts", "moved"], "lsf")


@check("many keys: copy 1,200 files, list them, purge")
def many(rclone):
    for number in range(1200):
        rclone.file(f"many/{number:04}", b"1")
    rclone("copy", "--transfers=16", rclone.path("many"), f"{ROOT}/many")
    equal(len(rclone("lsf", f"{ROOT}/many").split()), 1200, "listed")
    equal(len(rclone("lsf", "--s3-list-chunk=100", "--s3-list-version=1", f"{ROOT}/many").split()), 1200, "version 1")
    rclone("purge", f"{ROOT}/many")
    true("many/" not in rclone("lsf", ROOT), "left over")


@check("link (presigned), touch, deletefile")
def single(rclone):
    status, _, body = http("GET", rclone("link", "--expire=60s", f"{ROOT}/dated").strip())
    equal((status, body), (200, b"dated"), "link")
    rclone("touch", f"{ROOT}/touched")
    rclone("deletefile", f"{ROOT}/touched")
    rclone.fails("deletefile", f"{ROOT}/touched", saying="not found")


@check("errors: missing bucket, bucket not empty")
def errors(rclone):
    rclone.fails("lsf", f"server:absent-{target.bucket}", saying="not found")
    rclone.fails("rmdir", ROOT, saying="BucketNotEmpty")


@check("purge")
def clean(rclone):
    rclone("purge", ROOT)
    true(target.bucket not in rclone("lsd", "server:"), "bucket gone")


main("rclone", Rclone())

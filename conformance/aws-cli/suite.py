"""aws-cli: `s3` (the transfer manager: multipart, sync, rm) and `s3api`."""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from checks import MIB
from checks import ODD_KEYS
from checks import Command
from checks import Skipped
from checks import Target
from checks import check
from checks import equal
from checks import http
from checks import main
from checks import random_bytes
from checks import true

target = Target("awscli")
BUCKET = target.bucket
ROOT = f"s3://{BUCKET}"


class Aws(Command):
    """`aws` with nothing but an endpoint, a region and keys."""

    def __init__(self):
        super().__init__(
            os.environ.get("AWS_CLI", "aws"),
            {"AWS_DEFAULT_REGION": target.region, "AWS_PAGER": ""},
            options=["--endpoint-url", target.endpoint],
        )
        self.file(".aws/config", b"[default]\ns3 =\n  addressing_style = path\n  signature_version = s3v4\n")

    def version(self):
        """As numbers: (2, 9, 19)."""
        return tuple(int(number) for number in self("--version").split()[0].split("/")[1].split("."))

    def api(self, operation, *arguments):
        text = self("s3api", operation, "--bucket", BUCKET, "--output", "json", *arguments)
        return json.loads(text) if text.strip() else {}

    def refused(self, code, operation, *arguments):
        self.fails("s3api", operation, "--bucket", BUCKET, *arguments, saying=code)


@check("mb, ls, and mb of a bad name")
def buckets(aws):
    aws("s3", "mb", ROOT)
    true(BUCKET in aws("s3", "ls"), "listed")
    equal(aws.api("get-bucket-location")["LocationConstraint"],
          None if target.region == "us-east-1" else target.region, "location")
    aws.api("head-bucket")
    aws.fails("s3", "mb", "s3://Bad_Name")


@check("cp up and down, small and empty, through a pipe")
def copies(aws):
    for name, size in (("empty", 0), ("small", 1000), ("medium", 3 * MIB)):
        data = random_bytes(size)
        path = aws.file(f"up/{name}", data)
        aws("s3", "cp", path, f"{ROOT}/cp/{name}")
        aws("s3", "cp", f"{ROOT}/cp/{name}", aws.path(f"down/{name}"))
        true(aws.read(f"down/{name}") == data, f"{name}: bytes differ")
    data = random_bytes(20 * MIB, "pipe")
    aws.bytes("s3", "cp", "-", f"{ROOT}/cp/pipe", data=data)
    true(aws.bytes("s3", "cp", f"{ROOT}/cp/pipe", "-") == data, "pipe: bytes differ")


@check("cp of 40 MiB: multipart with default checksums, ranged download")
def multipart(aws):
    data = random_bytes(40 * MIB, "cli")
    aws("s3", "cp", aws.file("big", data), f"{ROOT}/big", "--metadata", "a=1,b=two")
    head = aws.api("head-object", "--key", "big", "--checksum-mode", "ENABLED")
    equal((head["ContentLength"], head["Metadata"]), (len(data), {"a": "1", "b": "two"}), "head")
    true(head["ETag"].endswith('-5"'), f"ETag {head['ETag']}")
    if not (2,) < aws.version() < (2, 23):  # since January 2025 a checksum is the default
        true(any(name.startswith("Checksum") for name in head), "a checksum")
    aws("s3", "cp", f"{ROOT}/big", aws.path("big.down"))
    true(aws.read("big.down") == data, "bytes differ")
    aws("s3", "cp", f"{ROOT}/big", f"{ROOT}/big-copy")
    aws("s3", "cp", f"{ROOT}/big-copy", aws.path("big.copy"))
    true(aws.read("big.copy") == data, "bytes of the server-side copy differ")


@check("cp with metadata and headers, head-object")
def metadata(aws):
    path = aws.file("page", b"<p>")
    aws("s3", "cp", path, f"{ROOT}/page", "--content-type", "text/html", "--cache-control", "no-cache",
        "--content-disposition", "inline", "--metadata", "colour=blue")
    head = aws.api("head-object", "--key", "page")
    equal((head["ContentType"], head["CacheControl"], head["ContentDisposition"], head["Metadata"]),
          ("text/html", "no-cache", "inline", {"colour": "blue"}), "headers")


@check("get-object with ranges")
def ranges(aws):
    data = random_bytes(5000, "range")
    aws("s3", "cp", aws.file("range", data), f"{ROOT}/range")
    for span, expected in (("bytes=0-99", data[:100]), ("bytes=-10", data[-10:]), ("bytes=4990-", data[4990:])):
        aws.api("get-object", "--key", "range", "--range", span, aws.path("part"))
        equal(aws.read("part"), expected, span)
    aws.refused("InvalidRange", "get-object", "--key", "range", "--range", "bytes=9999-", aws.path("part"))


@check("checksums of every kind on put-object")
def checksums(aws):
    path = aws.file("summed", random_bytes(50_000))
    for kind in ("CRC32", "SHA1", "SHA256"):
        put = aws.api("put-object", "--key", f"sum/{kind}", "--body", path, "--checksum-algorithm", kind)
        head = aws.api("head-object", "--key", f"sum/{kind}", "--checksum-mode", "ENABLED")
        equal(head[f"Checksum{kind}"], put[f"Checksum{kind}"], kind)
        aws.api("get-object", "--key", f"sum/{kind}", "--checksum-mode", "ENABLED", aws.path("summed.down"))
        true(aws.read("summed.down") == aws.read("summed"), "bytes differ")
    aws.refused("BadDigest", "put-object", "--key", "sum/bad", "--body", path, "--content-md5",
                "1B2M2Y8AsgTpgAmY7PhCfg==")


@check("put-object --if-none-match and --if-match")
def conditional(aws):
    if (2,) < aws.version() < (2, 20):
        raise Skipped("this release does not know the options")
    path = aws.file("cond", b"1")
    etag = aws.api("put-object", "--key", "cond", "--body", path, "--if-none-match", "*")["ETag"]
    aws.refused("PreconditionFailed", "put-object", "--key", "cond", "--body", path, "--if-none-match", "*")
    aws.api("put-object", "--key", "cond", "--body", aws.file("cond2", b"2"), "--if-match", etag)
    aws.refused("PreconditionFailed", "put-object", "--key", "cond", "--body", path, "--if-match", etag)
    aws.refused("304", "get-object", "--key", "cond", "--if-none-match",
                aws.api("head-object", "--key", "cond")["ETag"], aws.path("never"))


@check("sync a tree up, change it, sync again, sync down")
def sync(aws):
    hour_ago = time.time() - 3600  # else a file could look newer than its upload, which has whole seconds
    for name in ("a", "b/c", "b/d e", "ü/f+g", "gone"):
        os.utime(aws.file(f"tree/{name}", name.encode() * 10), (hour_ago, hour_ago))
    aws("s3", "sync", aws.path("tree"), f"{ROOT}/tree")
    equal(aws("s3", "sync", aws.path("tree"), f"{ROOT}/tree").strip(), "", "nothing left to do")
    os.remove(aws.path("tree/gone"))
    aws.file("tree/b/c", b"longer than it was, so sync sees it")
    done = aws("s3", "sync", "--delete", aws.path("tree"), f"{ROOT}/tree")
    equal((done.count("upload:"), done.count("delete:")), (1, 1), "one upload and one delete")
    aws("s3", "sync", f"{ROOT}/tree", aws.path("back"))
    for name in ("a", "b/c", "b/d e", "ü/f+g"):
        equal(aws.read(f"back/{name}"), aws.read(f"tree/{name}"), name)
    equal(aws("s3", "ls", f"{ROOT}/tree/").split(), ["PRE", "b/", "PRE", "ü/", *aws("s3", "ls", f"{ROOT}/tree/a").split()], "ls")


@check("list-objects-v2 in pages, with a delimiter, and odd keys")
def listing(aws):
    path = aws.file("one", b"1")
    # Each call starts a Python of its own; the boto3 suite, with the same code below, tries every key.
    some = [key for key in ODD_KEYS[:-1] if set(key) & set("+%/é&")]
    keys = sorted((f"odd/{key}" for key in some), key=str.encode)
    for key in keys:
        aws.api("put-object", "--key", key, "--body", path)
    pages = aws.api("list-objects-v2", "--prefix", "odd/", "--page-size", "4")
    equal([item["Key"] for item in pages["Contents"]], keys, "pages of 4")
    top = aws.api("list-objects-v2", "--prefix", "odd/folder/", "--delimiter", "/")
    equal(([i["Key"] for i in top["Contents"]], [p["Prefix"] for p in top["CommonPrefixes"]]),
          (["odd/folder/", "odd/folder/inside"], ["odd/folder/inside/"]), "delimiter")
    old = aws.api("list-objects", "--prefix", "odd/", "--page-size", "5")
    equal([item["Key"] for item in old["Contents"]], keys, "list-objects in pages of 5")
    for key in keys[:5]:
        aws.api("get-object", "--key", key, aws.path("odd.down"))
        equal(aws.read("odd.down"), b"1", key)


@check("copy-object and mv")
def copy(aws):
    aws.api("copy-object", "--key", "copied", "--copy-source", f"{BUCKET}/page")
    equal(aws.api("head-object", "--key", "copied")["Metadata"], {"colour": "blue"}, "copied metadata")
    aws("s3", "mv", f"{ROOT}/copied", f"{ROOT}/moved")
    aws.refused("404", "head-object", "--key", "copied")
    equal(aws.bytes("s3", "cp", f"{ROOT}/moved", "-"), b"<p>", "moved")


@check("presign")
def presign(aws):
    status, _, body = http("GET", aws("s3", "presign", f"{ROOT}/moved", "--expires-in", "60").strip())
    equal((status, body), (200, b"<p>"), "GET")


@check("multipart by hand: create, list, abort")
def uploads(aws):
    upload = aws.api("create-multipart-upload", "--key", "hand")["UploadId"]
    at = ["--key", "hand", "--upload-id", upload]
    part = aws.api("upload-part", *at, "--part-number", "1", "--body", aws.file("part", b"only"))
    equal(aws.api("list-parts", *at)["Parts"][0]["ETag"], part["ETag"], "list-parts")
    equal(aws.api("list-multipart-uploads")["Uploads"][0]["UploadId"], upload, "list-multipart-uploads")
    aws.api("abort-multipart-upload", *at)
    aws.refused("NoSuchUpload", "list-parts", *at)


@check("errors: NoSuchKey, NoSuchBucket")
def errors(aws):
    aws.refused("NoSuchKey", "get-object", "--key", "absent", aws.path("never"))
    aws.fails("s3", "ls", f"s3://absent-{BUCKET}", saying="NoSuchBucket")
    aws.fails("s3", "rb", ROOT, saying="BucketNotEmpty")


@check("rm --recursive and rb")
def clean(aws):
    aws("s3", "rm", "--recursive", ROOT)
    equal(aws.run("s3", "ls", "--recursive", ROOT).stdout, b"", "left over")  # `ls` of nothing exits with 1
    aws("s3", "rb", ROOT)
    true(BUCKET not in aws("s3", "ls"), "bucket gone")


main("aws-cli", Aws())

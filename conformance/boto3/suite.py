"""boto3 (botocore): the widest suite, since it gives the most control over each request."""

import base64
import concurrent.futures
import datetime
import hashlib
import io
import os
import socket
import sys
import time
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import boto3
import botocore.config
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from checks import MIB
from checks import ODD_KEYS
from checks import Skipped
from checks import Target
from checks import check
from checks import equal
from checks import http
from checks import main
from checks import md5
from checks import random_bytes
from checks import true


class S3:
    """The client, the bucket, and what several checks need."""

    def __init__(self):
        self.target = Target("boto3")
        self.bucket = self.target.bucket
        self.client = self.connect()
        # Left to itself, botocore presigns for us-east-1 with signature version 2, of which AWS has
        # been taking leave since 2019; its guides say to ask for version 4 like this.
        v4 = botocore.config.Config(signature_version="s3v4", s3={"addressing_style": "path"})
        self.presigner = self.connect(config=v4)

    def connect(self, **changes):
        settings = {
            "endpoint_url": self.target.endpoint,
            "region_name": self.target.region,
            "aws_access_key_id": self.target.access_key,
            "aws_secret_access_key": self.target.secret_key,
            "config": botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
        }
        return boto3.client("s3", **{**settings, **changes})

    def put(self, key, body=b"", **more):
        return self.client.put_object(Bucket=self.bucket, Key=key, Body=body, **more)

    def get(self, key, **more):
        reply = self.client.get_object(Bucket=self.bucket, Key=key, **more)
        return reply["Body"].read(), reply

    def head(self, key, **more):
        return self.client.head_object(Bucket=self.bucket, Key=key, **more)

    def keys(self, **more):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, **more)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def parts(self, key, bodies, **more):
        """Starts an upload and sends its parts; gives the upload id and what Complete needs."""
        upload = self.client.create_multipart_upload(Bucket=self.bucket, Key=key, **more)["UploadId"]
        done = []
        for number, body in enumerate(bodies, start=1):
            reply = self.client.upload_part(
                Bucket=self.bucket, Key=key, UploadId=upload, PartNumber=number, Body=body,
                **({"ChecksumAlgorithm": more["ChecksumAlgorithm"]} if "ChecksumAlgorithm" in more else {}),
            )
            part = {name: value for name, value in reply.items() if name == "ETag" or name.startswith("Checksum")}
            part.pop("ChecksumType", None)
            done.append({**part, "PartNumber": number})
        return upload, done

    def complete(self, key, upload, parts, **more):
        return self.client.complete_multipart_upload(
            Bucket=self.bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **more
        )


def refused(code, status, call, *arguments, **more):
    """The call must be refused with this S3 code and HTTP status; gives the error document."""
    try:
        call(*arguments, **more)
    except ClientError as error:
        equal(error.response["Error"]["Code"], code, "error code")
        equal(error.response["ResponseMetadata"]["HTTPStatusCode"], status, "status")
        return error.response
    raise AssertionError(f"must be refused with {status} {code}, but succeeded")


def base64_of(number, size):
    return base64.b64encode(number.to_bytes(size, "big")).decode()


def reflected_crc(data, polynomial, bits):
    """A CRC with reflected bits, all ones first and last: CRC32C and CRC64NVME."""
    ones = (1 << bits) - 1
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (polynomial if byte & 1 else 0)
        table.append(byte)
    crc = ones
    for byte in data:
        crc = (crc >> 8) ^ table[(crc ^ byte) & 255]
    return crc ^ ones


def checksums_of(data):
    """Each S3 checksum of the data, in the form in which headers carry it."""
    return {
        "CRC32": base64_of(zlib.crc32(data), 4),
        "CRC32C": base64_of(reflected_crc(data, 0x82F63B78, 32), 4),
        "CRC64NVME": base64_of(reflected_crc(data, 0x9A6C9329AC4BC9B5, 64), 8),
        "SHA1": base64.b64encode(hashlib.sha1(data).digest()).decode(),
        "SHA256": base64.b64encode(hashlib.sha256(data).digest()).decode(),
    }


@check("create a bucket, find it, create it again")
def buckets(s3):
    s3.client.create_bucket(Bucket=s3.bucket)
    true(s3.bucket in [b["Name"] for b in s3.client.list_buckets()["Buckets"]], "listed")
    reply = s3.client.head_bucket(Bucket=s3.bucket)
    equal(reply.get("BucketRegion"), s3.target.region, "x-amz-bucket-region")
    place = s3.client.get_bucket_location(Bucket=s3.bucket)["LocationConstraint"]
    equal(place, None if s3.target.region == "us-east-1" else s3.target.region, "location")
    try:  # AWS answers 200 in us-east-1 and 409 elsewhere
        s3.client.create_bucket(Bucket=s3.bucket)
    except ClientError as error:
        equal(error.response["Error"]["Code"], "BucketAlreadyOwnedByYou", "second create")
    refused("InvalidBucketName", 400, s3.client.create_bucket, Bucket="Not_A_Bucket")
    refused("NoSuchBucket", 404, s3.client.delete_bucket, Bucket="absent-" + s3.bucket)


@check("put, get and head, with the ETag as MD5")
def put_get(s3):
    for size in (0, 1, 1000, 32 * 1024, 32 * 1024 + 1, MIB, 5 * MIB + 7):
        body = random_bytes(size)
        equal(s3.put(f"size/{size}", body)["ETag"], f'"{md5(body)}"', f"ETag of {size} bytes")
        got, reply = s3.get(f"size/{size}")
        true(got == body, f"{size} bytes read back")
        equal(reply["ContentLength"], size, "ContentLength")
        head = s3.head(f"size/{size}")
        equal((head["ContentLength"], head["ETag"]), (size, f'"{md5(body)}"'), "HEAD")
        equal(head["AcceptRanges"], "bytes", "accept-ranges")
        age = datetime.datetime.now(datetime.timezone.utc) - head["LastModified"]
        true(abs(age.total_seconds()) < 120, f"LastModified is {age} ago")


@check("overwrite and delete are seen at once")
def overwrite(s3):
    for turn in range(10):
        s3.put("over", str(turn).encode() * (1 + turn * 9000))
        equal(s3.get("over")[0], str(turn).encode() * (1 + turn * 9000), "after overwrite")
    s3.client.delete_object(Bucket=s3.bucket, Key="over")
    refused("NoSuchKey", 404, s3.get, "over")
    true("over" not in s3.keys(Prefix="over"), "gone from the listing")
    s3.client.delete_object(Bucket=s3.bucket, Key="over")  # deleting what is not there succeeds


@check("metadata and content headers")
def metadata(s3):
    headers = {
        "ContentType": "text/x-check; charset=utf-8",
        "CacheControl": "max-age=60, private",
        "ContentDisposition": 'attachment; filename="a b.txt"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de, en",
        "Metadata": {"colour": "blue", "spaced": "a  b c", "empty": "", "upper-case": "MiXed"},
    }
    s3.put("meta", b"x", Expires=datetime.datetime(2031, 1, 2, tzinfo=datetime.timezone.utc), **headers)
    for reply in (s3.head("meta"), s3.get("meta")[1]):
        for name, value in headers.items():
            equal(reply[name], value, name)
        equal(reply["ExpiresString"], "Thu, 02 Jan 2031 00:00:00 GMT", "Expires")
    s3.put("no-type", b"x")
    equal(s3.head("no-type")["ContentType"], "binary/octet-stream", "default content type")
    big = {"k": "v" * 2100}
    refused("MetadataTooLarge", 400, s3.put, "meta", b"x", Metadata=big)


@check("response header overrides")
def overrides(s3):
    s3.put("plain", b"x")
    _, reply = s3.get("plain", ResponseContentType="image/png", ResponseCacheControl="no-store",
                      ResponseContentDisposition="inline", ResponseContentLanguage="fr",
                      ResponseContentEncoding="identity")
    equal([reply["ContentType"], reply["CacheControl"], reply["ContentDisposition"], reply["ContentLanguage"],
           reply["ContentEncoding"]], ["image/png", "no-store", "inline", "fr", "identity"], "overridden headers")


@check("ranges")
def ranges(s3):
    for size in (1000, 3 * MIB + 11):
        body = random_bytes(size, "range")
        s3.put("range", body)
        for text, first, last in [
            ("bytes=0-0", 0, 0), ("bytes=0-99", 0, 99), (f"bytes={size - 1}-", size - 1, size - 1),
            ("bytes=500-", 500, size - 1), ("bytes=-7", size - 7, size - 1),
            (f"bytes=-{size * 2}", 0, size - 1), (f"bytes=10-{size * 2}", 10, size - 1),
        ]:
            got, reply = s3.get("range", Range=text)
            true(got == body[first:last + 1], f"{text} of {size}: wrong bytes")
            equal(reply["ContentRange"], f"bytes {first}-{last}/{size}", text)
            equal(reply["ResponseMetadata"]["HTTPStatusCode"], 206, text)
        equal(s3.head("range", Range="bytes=0-4")["ContentLength"], 5, "HEAD with a range")
        refused("InvalidRange", 416, s3.get, "range", Range=f"bytes={size}-")
        equal(s3.get("range", Range="bytes=5-2")[0], body, "a range that is no range is ignored")


@check("every checksum: kept, returned, verified")
def checksums(s3):
    body = random_bytes(40_000, "sum")
    for name, value in checksums_of(body).items():
        field = f"Checksum{name}"
        reply = s3.put(f"sum/{name}", body, **{field: value})
        equal(reply.get(field), value, f"{name} on PUT")
        head = s3.head(f"sum/{name}", ChecksumMode="ENABLED")
        equal((head.get(field), head.get("ChecksumType")), (value, "FULL_OBJECT"), f"{name} on HEAD")
        got, reply = s3.get(f"sum/{name}", ChecksumMode="ENABLED")
        equal((got == body, reply.get(field)), (True, value), f"{name} on GET")
        refused("BadDigest", 400, s3.put, f"sum/{name}", body + b"!", **{field: value})
    equal(s3.get("sum/SHA256")[0], body, "a refused PUT changes nothing")
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    refused("BadDigest", 400, s3.put, "sum/md5", body, ContentMD5=wrong)
    refused("NoSuchKey", 404, s3.get, "sum/md5")
    reply = s3.put("sum/default", body)
    equal(reply.get("ChecksumCRC32"), checksums_of(body)["CRC32"], "the default checksum of botocore")


@check("conditional writes")
def conditional_writes(s3):
    first = s3.put("cond", b"one", IfNoneMatch="*")["ETag"]
    refused("PreconditionFailed", 412, s3.put, "cond", b"two", IfNoneMatch="*")
    equal(s3.get("cond")[0], b"one", "after the refused write")
    second = s3.put("cond", b"two", IfMatch=first)["ETag"]
    refused("PreconditionFailed", 412, s3.put, "cond", b"three", IfMatch=first)
    refused("NoSuchKey", 404, s3.put, "cond/absent", b"x", IfMatch=first)
    big = random_bytes(MIB)
    refused("PreconditionFailed", 412, s3.put, "cond", big, IfNoneMatch="*")
    upload, parts = s3.parts("cond", [b"three"])
    refused("PreconditionFailed", 412, s3.complete, "cond", upload, parts, IfNoneMatch="*")
    s3.complete("cond", upload, parts, IfMatch=second)
    equal(s3.get("cond")[0], b"three", "after the conditional Complete")
    refused("PreconditionFailed", 412, s3.client.delete_object, Bucket=s3.bucket, Key="cond", IfMatch=first)
    s3.client.delete_object(Bucket=s3.bucket, Key="cond", IfMatch=s3.head("cond")["ETag"])
    refused("404", 404, s3.head, "cond")


@check("racing conditional writers: one wins")
def conditional_race(s3):
    def attempt(turn, writer):
        try:
            s3.put(f"race/{turn}", str(writer).encode(), IfNoneMatch="*")
            return writer
        except ClientError as error:
            code = error.response["Error"]["Code"]
            true(code in ("PreconditionFailed", "ConditionalRequestConflict"), f"loser got {code}")
            return None

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for turn in range(10):
            winners = [w for w in pool.map(lambda writer: attempt(turn, writer), range(8)) if w is not None]
            equal(len(winners), 1, "winners")
            equal(s3.get(f"race/{turn}")[0], str(winners[0]).encode(), "what the winner wrote")


@check("conditional reads")
def conditional_reads(s3):
    etag = s3.put("read", b"x")["ETag"]
    hour = datetime.timedelta(hours=1)
    now = datetime.datetime.now(datetime.timezone.utc)
    s3.get("read", IfMatch=etag, IfUnmodifiedSince=now - hour)  # If-Match true: the date does not count
    s3.get("read", IfNoneMatch='"other"', IfModifiedSince=now - hour)
    refused("304", 304, s3.get, "read", IfNoneMatch=etag)
    written = s3.head("read")["LastModified"]
    refused("304", 304, s3.get, "read", IfModifiedSince=written)
    s3.get("read", IfUnmodifiedSince=written)
    refused("PreconditionFailed", 412, s3.get, "read", IfMatch='"other"')
    refused("PreconditionFailed", 412, s3.get, "read", IfUnmodifiedSince=now - hour)
    refused("412", 412, s3.head, "read", IfMatch='"other"')


@check("copy: content, metadata, conditions")
def copy(s3):
    source = {"Bucket": s3.bucket, "Key": "copy/source +ü"}
    for size in (100, 2 * MIB):
        body = random_bytes(size, "copy")
        etag = s3.put(source["Key"], body, Metadata={"a": "1"}, ContentType="text/a")["ETag"]
        result = s3.client.copy_object(Bucket=s3.bucket, Key="copy/same", CopySource=source)["CopyObjectResult"]
        equal(result["ETag"], etag, "ETag of the copy")
        true("LastModified" in result, "LastModified in CopyObjectResult")
        got, reply = s3.get("copy/same")
        equal((got == body, reply["Metadata"], reply["ContentType"]), (True, {"a": "1"}, "text/a"), "the copy")
        s3.client.copy_object(Bucket=s3.bucket, Key="copy/new", CopySource=source, MetadataDirective="REPLACE",
                              Metadata={"b": "2"}, ContentType="text/b")
        got, reply = s3.get("copy/new")
        equal((got == body, reply["Metadata"], reply["ContentType"]), (True, {"b": "2"}, "text/b"), "replaced")
    call = s3.client.copy_object
    refused("InvalidRequest", 400, call, Bucket=s3.bucket, Key=source["Key"], CopySource=source)
    call(Bucket=s3.bucket, Key=source["Key"], CopySource=source, MetadataDirective="REPLACE", Metadata={"c": "3"})
    equal((s3.get(source["Key"])[0] == body, s3.head(source["Key"])["Metadata"]), (True, {"c": "3"}), "onto itself")
    to = {"Bucket": s3.bucket, "Key": "copy/x", "CopySource": source}
    refused("PreconditionFailed", 412, call, CopySourceIfMatch='"no"', **to)
    refused("PreconditionFailed", 412, call, CopySourceIfNoneMatch=etag, **to)
    call(CopySourceIfMatch=etag, **to)
    refused("PreconditionFailed", 412, call, IfNoneMatch="*", **to)
    refused("NoSuchKey", 404, call, **{**to, "CopySource": {"Bucket": s3.bucket, "Key": "absent"}})
    refused("NoSuchBucket", 404, call, **{**to, "CopySource": {"Bucket": "absent-" + s3.bucket, "Key": "absent"}})
    s3.client.delete_object(Bucket=s3.bucket, Key=source["Key"])
    equal(s3.get("copy/x")[0], body, "a copy outlives its source")


@check("odd keys: put, list, head, get, copy, delete")
def odd_keys(s3):
    # Beyond what other clients can send: dot segments and white space.
    keys = ["odd/" + key for key in ODD_KEYS[:-1]] + ["odd/a/../b", "odd/./c", "odd/tab\tnewline\n"]
    keys.append(ODD_KEYS[-1])
    for key in keys:
        s3.put(key, key.encode())
    for key in keys:
        equal(s3.get(key)[0], key.encode(), f"content of {key!r}")
        equal(s3.head(key)["ContentLength"], len(key.encode()), f"HEAD of {key!r}")
    expected = sorted((key for key in keys if key.startswith("odd/")), key=str.encode)
    equal(s3.keys(Prefix="odd/"), expected, "list v2")
    pages = s3.client.get_paginator("list_objects").paginate(Bucket=s3.bucket, Prefix="odd/", MaxKeys=3)
    equal([i["Key"] for p in pages for i in p.get("Contents", [])], expected, "list v1 in pages of 3")
    for key in keys:
        s3.client.copy_object(Bucket=s3.bucket, Key=key[:1000] + "-copy", CopySource={"Bucket": s3.bucket, "Key": key})
        equal(s3.get(key[:1000] + "-copy")[0], key.encode(), f"copy of {key!r}")
    doomed = keys + [key[:1000] + "-copy" for key in keys]
    reply = s3.client.delete_objects(Bucket=s3.bucket, Delete={"Objects": [{"Key": key} for key in doomed]})
    equal(reply.get("Errors", []), [], "errors of the bulk delete")
    equal(sorted(d["Key"] for d in reply["Deleted"]), sorted(doomed), "keys named by the bulk delete")
    equal(s3.keys(Prefix="odd/") + s3.keys(Prefix="kkk"), [], "left over")
    s3.put("bell\x07", b"ding")  # no XML can carry it, so listings are encoded
    equal((s3.keys(Prefix="bell"), s3.get("bell\x07")[0]), (["bell\x07"], b"ding"), "a control character")
    s3.client.delete_object(Bucket=s3.bucket, Key="bell\x07")
    refused("KeyTooLongError", 400, s3.put, "k" * 1025, b"")


@check("list 1,100 keys: pages, delimiter, markers")
def listing(s3):
    keys = sorted(f"list/{number % 7}/{number:04}" for number in range(1100))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: s3.put(key, b"x"), keys))
    call, bucket = s3.client.list_objects_v2, s3.bucket
    first = call(Bucket=bucket, Prefix="list/")
    equal((first["KeyCount"], first["MaxKeys"], first["IsTruncated"]), (1000, 1000, True), "first page")
    rest = call(Bucket=bucket, Prefix="list/", ContinuationToken=first["NextContinuationToken"])
    equal((rest["KeyCount"], rest["IsTruncated"], rest["ContinuationToken"]),
          (100, False, first["NextContinuationToken"]), "second page")
    equal([i["Key"] for i in first["Contents"] + rest["Contents"]], keys, "both pages")
    equal(s3.keys(Prefix="list/", PaginationConfig={"PageSize": 97}), keys, "pages of 97")
    item = first["Contents"][0]
    equal((item["Size"], item["ETag"], item["StorageClass"]), (1, f'"{md5(b"x")}"', "STANDARD"), "an item")
    true("Owner" not in item, "no owner unless asked")
    true("Owner" in call(Bucket=bucket, Prefix="list/", MaxKeys=1, FetchOwner=True)["Contents"][0], "the owner")
    equal(s3.keys(Prefix="list/", StartAfter=keys[1000]), keys[1001:], "StartAfter")
    folders = [f"list/{number}/" for number in range(7)]
    pages = s3.client.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix="list/", Delimiter="/", PaginationConfig={"PageSize": 2})
    seen = [p["Prefix"] for page in pages for p in page.get("CommonPrefixes", [])]
    equal(seen, folders, "folders in pages of 2")
    one = call(Bucket=bucket, Prefix="list/3/", Delimiter="/", MaxKeys=5)
    equal(([i["Key"] for i in one["Contents"]], one["KeyCount"], one.get("CommonPrefixes")),
          (keys_of(keys, "list/3/")[:5], 5, None), "inside a folder")
    old = s3.client.list_objects(Bucket=bucket, Prefix="list/", Delimiter="/", MaxKeys=3)
    equal((old["IsTruncated"], old["NextMarker"]), (True, "list/2/"), "v1 with a delimiter")
    old = s3.client.list_objects(Bucket=bucket, Prefix="list/", Delimiter="/", Marker=old["NextMarker"])
    equal([p["Prefix"] for p in old["CommonPrefixes"]], folders[3:], "v1 after the marker")
    none = call(Bucket=bucket, Prefix="list/absent")
    equal((none["KeyCount"], none["IsTruncated"], none.get("Contents")), (0, False, None), "nothing found")
    zero = call(Bucket=bucket, MaxKeys=0)
    equal((zero["KeyCount"], zero["IsTruncated"]), (0, False), "max-keys=0")
    refused("NoSuchBucket", 404, call, Bucket="absent-" + bucket)


def keys_of(keys, prefix):
    return [key for key in keys if key.startswith(prefix)]


@check("bulk delete of 1,000 keys, loud and quiet")
def bulk_delete(s3):
    keys = s3.keys(Prefix="list/")
    reply = s3.client.delete_objects(
        Bucket=s3.bucket, Delete={"Quiet": True, "Objects": [{"Key": key} for key in keys[:1000]]})
    equal((reply.get("Deleted"), reply.get("Errors")), (None, None), "quiet")
    left = keys[1000:] + ["list/absent"]
    reply = s3.client.delete_objects(Bucket=s3.bucket, Delete={"Objects": [{"Key": key} for key in left]})
    equal(sorted(d["Key"] for d in reply["Deleted"]), sorted(left), "loud, with a key that is not there")
    equal(s3.keys(Prefix="list/"), [], "left over")


@check("multipart: a 40 MiB file by the transfer manager")
def transfer(s3):
    body = random_bytes(40 * MIB)
    config = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB, max_concurrency=4)
    s3.client.upload_fileobj(io.BytesIO(body), s3.bucket, "big", Config=config, ExtraArgs={"Metadata": {"m": "1"}})
    head = s3.head("big", ChecksumMode="ENABLED")
    digests = b"".join(hashlib.md5(body[at:at + 8 * MIB]).digest() for at in range(0, len(body), 8 * MIB))
    equal(head["ETag"], f'"{md5(digests)}-5"', "ETag")
    equal((head["ContentLength"], head["Metadata"]), (len(body), {"m": "1"}), "HEAD")
    got = io.BytesIO()
    s3.client.download_fileobj(s3.bucket, "big", got, Config=config)
    true(got.getvalue() == body, "downloaded bytes differ")
    equal(s3.get("big", Range=f"bytes={8 * MIB - 3}-{8 * MIB + 2}")[0], body[8 * MIB - 3:8 * MIB + 3], "over a seam")
    got, reply = s3.get("big", PartNumber=5)
    equal((got == body[32 * MIB:], reply["PartsCount"]), (True, 5), "GET of part 5")
    equal(s3.head("big", PartNumber=2)["ContentLength"], 8 * MIB, "HEAD of part 2")
    copied = s3.client.copy_object(Bucket=s3.bucket, Key="big-copy", CopySource={"Bucket": s3.bucket, "Key": "big"})
    true(copied["CopyObjectResult"]["ETag"] in (head["ETag"], f'"{md5(body)}"'), "ETag of the copy")
    true(s3.get("big-copy")[0] == body, "copied bytes differ")


@check("multipart: composite and full-object checksums, attributes")
def multipart_checksums(s3):
    bodies = [random_bytes(5 * MIB, 1), random_bytes(5 * MIB, 2), b"tail"]
    whole = b"".join(bodies)
    upload, parts = s3.parts("sums/composite", bodies, ChecksumAlgorithm="SHA256")
    reply = s3.complete("sums/composite", upload, parts)
    digests = b"".join(hashlib.sha256(body).digest() for body in bodies)
    composite = base64.b64encode(hashlib.sha256(digests).digest()).decode() + "-3"
    equal((reply["ChecksumSHA256"], reply["ChecksumType"]), (composite, "COMPOSITE"), "composite on Complete")
    head = s3.head("sums/composite", ChecksumMode="ENABLED")
    equal((head["ChecksumSHA256"], head["ChecksumType"]), (composite, "COMPOSITE"), "composite on HEAD")
    true(s3.get("sums/composite")[0] == whole, "bytes of the composite one")

    upload, parts = s3.parts("sums/full", bodies, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    crc = base64_of(zlib.crc32(whole), 4)
    wrong = base64_of(zlib.crc32(b"other"), 4)
    refused("BadDigest", 400, s3.complete, "sums/full", upload, parts, ChecksumCRC32=wrong, ChecksumType="FULL_OBJECT")
    reply = s3.complete("sums/full", upload, parts, ChecksumCRC32=crc, ChecksumType="FULL_OBJECT",
                        MpuObjectSize=len(whole))
    equal((reply["ChecksumCRC32"], reply["ChecksumType"]), (crc, "FULL_OBJECT"), "full on Complete")
    got, reply = s3.get("sums/full", ChecksumMode="ENABLED")
    equal((got == whole, reply["ChecksumCRC32"], reply["ChecksumType"]), (True, crc, "FULL_OBJECT"), "full on GET")

    asked = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    about = s3.client.get_object_attributes(Bucket=s3.bucket, Key="sums/composite", ObjectAttributes=asked)
    equal((about["ObjectSize"], about["StorageClass"], about["ETag"], about["ObjectParts"]["TotalPartsCount"]),
          (len(whole), "STANDARD", head["ETag"].strip('"'), 3), "attributes")
    equal([part["Size"] for part in about["ObjectParts"]["Parts"]], [len(body) for body in bodies], "part sizes")
    true(about["Checksum"]["ChecksumSHA256"] in (composite, composite[:-2]), "checksum among the attributes")


@check("multipart: list, abort, wrong and repeated completes")
def multipart_edges(s3):
    bodies = [random_bytes(5 * MIB, 3), b"b" * 10]
    upload, parts = s3.parts("mp/key one", bodies)
    listed = s3.client.list_parts(Bucket=s3.bucket, Key="mp/key one", UploadId=upload)["Parts"]
    equal([(p["PartNumber"], p["Size"], p["ETag"]) for p in listed],
          [(p["PartNumber"], len(b), p["ETag"]) for p, b in zip(parts, bodies)], "list_parts")
    page = s3.client.list_parts(Bucket=s3.bucket, Key="mp/key one", UploadId=upload, MaxParts=1)
    equal((page["IsTruncated"], page["NextPartNumberMarker"]), (True, 1), "a page of one part")
    uploads = s3.client.list_multipart_uploads(Bucket=s3.bucket, Prefix="mp/")["Uploads"]
    equal([(u["Key"], u["UploadId"]) for u in uploads], [("mp/key one", upload)], "list_multipart_uploads")
    refused("NoSuchKey", 404, s3.get, "mp/key one")
    refused("InvalidPart", 400, s3.complete, "mp/key one", upload, [{**parts[0], "ETag": '"' + "0" * 32 + '"'}])
    refused("InvalidPart", 400, s3.complete, "mp/key one", upload, [parts[0], {**parts[0], "PartNumber": 9}])
    refused("InvalidPartOrder", 400, s3.complete, "mp/key one", upload, parts[::-1])
    first = s3.complete("mp/key one", upload, parts)
    equal(s3.complete("mp/key one", upload, parts)["ETag"], first["ETag"], "Complete repeated")
    true(s3.get("mp/key one")[0] == b"".join(bodies), "bytes")

    upload, parts = s3.parts("mp/small", [b"too", b"small"])
    refused("EntityTooSmall", 400, s3.complete, "mp/small", upload, parts)
    s3.client.abort_multipart_upload(Bucket=s3.bucket, Key="mp/small", UploadId=upload)
    refused("NoSuchUpload", 404, s3.complete, "mp/small", upload, parts)
    refused("NoSuchUpload", 404, s3.client.upload_part, Bucket=s3.bucket, Key="mp/small", UploadId=upload,
            PartNumber=1, Body=b"x")
    true(not s3.client.list_multipart_uploads(Bucket=s3.bucket, Prefix="mp/").get("Uploads"), "no uploads left")

    upload, parts = s3.parts("mp/empty", [b""])
    s3.complete("mp/empty", upload, parts)
    equal(s3.get("mp/empty")[0], b"", "one empty part")
    upload, _ = s3.parts("mp/gaps", [])
    sent = []
    for number, body in ((7, b"n" * 5 * MIB), (10000, b"last"), (7, b"m" * 5 * MIB)):  # 7 is sent twice
        etag = s3.client.upload_part(Bucket=s3.bucket, Key="mp/gaps", UploadId=upload, PartNumber=number, Body=body)
        sent.append({"PartNumber": number, "ETag": etag["ETag"]})
    s3.complete("mp/gaps", upload, [sent[2], sent[1]])
    true(s3.get("mp/gaps")[0] == b"m" * 5 * MIB + b"last", "gaps, and the last part of a number")
    refused("InvalidArgument", 400, s3.client.upload_part, Bucket=s3.bucket, Key="mp/gaps", UploadId=upload,
            PartNumber=10001, Body=b"x")


@check("multipart: parts copied from another object")
def part_copy(s3):
    body = random_bytes(12 * MIB, "part-copy")
    s3.put("pc/source", body)
    source = {"Bucket": s3.bucket, "Key": "pc/source"}
    upload = s3.client.create_multipart_upload(Bucket=s3.bucket, Key="pc/target")["UploadId"]
    to = {"Bucket": s3.bucket, "Key": "pc/target", "UploadId": upload, "CopySource": source}
    parts = []
    for number, span in ((1, f"bytes=0-{6 * MIB - 1}"), (2, f"bytes={6 * MIB}-{12 * MIB - 1}"), (3, "bytes=5-9")):
        result = s3.client.upload_part_copy(PartNumber=number, CopySourceRange=span, **to)["CopyPartResult"]
        true("LastModified" in result, "LastModified in CopyPartResult")
        parts.append({"PartNumber": number, "ETag": result["ETag"]})
    refused("InvalidRange", 416, s3.client.upload_part_copy, PartNumber=4,
            CopySourceRange=f"bytes=0-{12 * MIB}", **to)
    s3.complete("pc/target", upload, parts)
    true(s3.get("pc/target")[0] == body + body[5:10], "bytes")


@check("presigned GET, HEAD, PUT and DELETE")
def presigned(s3):
    def url(operation, **more):
        expires = more.pop("expires", 300)
        return s3.presigner.generate_presigned_url(operation, {"Bucket": s3.bucket, **more}, ExpiresIn=expires)

    key = "signed/a b+c%ü"
    status, headers, _ = http("PUT", url("put_object", Key=key), b"presigned")
    equal((status, headers["ETag"]), (200, f'"{md5(b"presigned")}"'), "PUT")
    status, headers, body = http("GET", url("get_object", Key=key, ResponseContentType="text/signed"))
    equal((status, body, headers["Content-Type"]), (200, b"presigned", "text/signed"), "GET")
    status, _, body = http("GET", url("get_object", Key=key), headers={"Range": "bytes=0-2"})
    equal((status, body), (206, b"pre"), "GET with a range")
    equal(http("HEAD", url("head_object", Key=key))[0], 200, "HEAD")
    status, _, body = http("GET", url("get_object", Key="absent"))
    equal((status, b"<Code>NoSuchKey</Code>" in body), (404, True), "GET of an absent key")
    status, _, body = http("GET", url("get_object", Key=key)[:-1] + "0")
    status_other, _, body_other = http("GET", url("get_object", Key=key)[:-1] + "1")
    true({status, status_other} <= {200, 403} and 403 in (status, status_other), f"changed signature: {status}")
    true(b"SignatureDoesNotMatch" in body + body_other, "the code for a changed signature")
    short = url("get_object", Key=key, expires=1)
    time.sleep(2.1)
    status, _, body = http("GET", short)
    equal((status, b"<Code>AccessDenied</Code>" in body), (403, True), "expired")
    status, _, body = http("PUT", url("put_object", Key=key), b"x", {"x-amz-copy-source": f"{s3.bucket}/copy/x"})
    equal((status, b"<Code>AccessDenied</Code>" in body), (403, True), "an x-amz header that was not signed")
    equal(http("DELETE", url("delete_object", Key=key))[0], 204, "DELETE")


@check("presigned with signature version 2, botocore's own choice")
def presigned_v2(s3):
    url = s3.client.generate_presigned_url("get_object", {"Bucket": s3.bucket, "Key": "plain"})
    status, _, body = http("GET", url)
    if status == 200:
        equal(body, b"x", "body")
        return
    true(400 <= status < 500 and b"<Code>" in body, f"neither served nor refused in S3's way: {status} {body}")
    raise Skipped(f"refused with {status}: {body.decode()[:400]}")


@check("presigned POST from a form")
def presigned_post(s3):
    form = s3.presigner.generate_presigned_post(
        s3.bucket, "form/${filename}", Fields={"Content-Type": "text/form", "x-amz-meta-a": "1"},
        Conditions=[{"Content-Type": "text/form"}, {"x-amz-meta-a": "1"}, ["content-length-range", 1, 1000]])

    def send(data):
        mark = "boundary7d3"
        body = b""
        for name, value in form["fields"].items():
            body += f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        body += f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="up.txt"\r\n\r\n'.encode()
        body += data + f"\r\n--{mark}--\r\n".encode()
        return http("POST", form["url"], body, {"Content-Type": f"multipart/form-data; boundary={mark}"})

    equal(send(b"from a form")[0], 204, "status")
    got, reply = s3.get("form/up.txt")
    equal((got, reply["ContentType"], reply["Metadata"]), (b"from a form", "text/form", {"a": "1"}), "the object")
    status, _, body = send(b"x" * 1001)
    equal((status, b"<Code>EntityTooLarge</Code>" in body), (400, True), "a file above the policy's range")


@check("credentials: unknown key, wrong secret, none")
def credentials(s3):
    unknown = s3.connect(aws_access_key_id="AKIAABSENTABSENTABSE")
    refused("InvalidAccessKeyId", 403, unknown.list_buckets)
    wrong = s3.connect(aws_secret_access_key="wrong" + s3.target.secret_key)
    refused("SignatureDoesNotMatch", 403, wrong.list_objects_v2, Bucket=s3.bucket)
    refused("SignatureDoesNotMatch", 403, wrong.put_object, Bucket=s3.bucket, Key="never", Body=b"x" * MIB)
    refused("403", 403, wrong.head_bucket, Bucket=s3.bucket)
    anonymous = s3.connect(config=botocore.config.Config(signature_version=botocore.UNSIGNED,
                                                         s3={"addressing_style": "path"}))
    refused("AccessDenied", 403, anonymous.get_object, Bucket=s3.bucket, Key="plain")


@check("errors: codes, request ids, what is not there yet")
def errors(s3):
    error = refused("NoSuchKey", 404, s3.get, "absent")
    equal(error["Error"].get("Key"), "absent", "<Key>")
    true(error["ResponseMetadata"].get("RequestId"), "x-amz-request-id")
    absent = "absent-" + s3.bucket
    refused("NoSuchBucket", 404, s3.client.get_object, Bucket=absent, Key="x")
    refused("NoSuchBucket", 404, s3.client.put_object, Bucket=absent, Key="x", Body=b"x")
    refused("NoSuchBucket", 404, s3.client.delete_object, Bucket=absent, Key="x")
    refused("NoSuchBucket", 404, s3.client.get_bucket_location, Bucket=absent)
    refused("404", 404, s3.client.head_bucket, Bucket=absent)
    refused("404", 404, s3.head, "absent")
    refused("NoSuchUpload", 404, s3.client.list_parts, Bucket=s3.bucket, Key="x", UploadId="absent")
    refused("BucketNotEmpty", 409, s3.client.delete_bucket, Bucket=s3.bucket)
    try:  # a feature is there and works, or says that it is not: never a silent success
        s3.put("tagged", b"x", Tagging="a=1")
        tags = s3.client.get_object_tagging(Bucket=s3.bucket, Key="tagged")["TagSet"]
        equal(tags, [{"Key": "a", "Value": "1"}], "tags")
    except ClientError as error:
        equal(error.response["Error"]["Code"], "NotImplemented", "tags on PUT")


@check("virtual-host addressing")
def virtual_host(s3):
    if not s3.target.domain:
        raise Skipped("HOLDALL_DOMAIN is not set")
    host, _, port = s3.target.address.partition(":")
    resolve = socket.getaddrinfo

    def to_server(name, *arguments, **more):
        return resolve(host if name.endswith(s3.target.domain) else name, *arguments, **more)

    socket.getaddrinfo = to_server
    try:
        client = s3.connect(endpoint_url=f"http://{s3.target.domain}:{port}",
                            config=botocore.config.Config(signature_version="s3v4",
                                                          s3={"addressing_style": "virtual"}))
        client.put_object(Bucket=s3.bucket, Key="host/a b", Body=b"by host")
        equal(client.get_object(Bucket=s3.bucket, Key="host/a b")["Body"].read(), b"by host", "GET")
        listed = client.list_objects_v2(Bucket=s3.bucket, Prefix="host/")["Contents"]
        equal([item["Key"] for item in listed], ["host/a b"], "list")
        url = client.generate_presigned_url("get_object", {"Bucket": s3.bucket, "Key": "host/a b"})
        equal(http("GET", url)[2], b"by host", "presigned")
    finally:
        socket.getaddrinfo = resolve


@check("empty the bucket and delete it")
def clean(s3):
    for page in s3.client.get_paginator("list_objects_v2").paginate(Bucket=s3.bucket):
        items = [{"Key": item["Key"]} for item in page.get("Contents", [])]
        if items:
            s3.client.delete_objects(Bucket=s3.bucket, Delete={"Objects": items})
    for upload in s3.client.list_multipart_uploads(Bucket=s3.bucket).get("Uploads", []):
        s3.client.abort_multipart_upload(Bucket=s3.bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    s3.client.delete_bucket(Bucket=s3.bucket)
    refused("404", 404, s3.client.head_bucket, Bucket=s3.bucket)


main("boto3", S3())

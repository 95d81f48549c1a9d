"""minio-py: its own signer, with Content-MD5 or chunk-free signed bodies."""

import datetime
import io
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from minio import Minio
from minio.commonconfig import REPLACE
from minio.commonconfig import ComposeSource
from minio.commonconfig import CopySource
from minio.datatypes import PostPolicy
from minio.deleteobjects import DeleteObject
from minio.error import S3Error

from checks import MIB
from checks import ODD_KEYS
from checks import Target
from checks import check
from checks import equal
from checks import http
from checks import main
from checks import md5
from checks import random_bytes
from checks import true


class Client:
    """The client and its bucket."""

    def __init__(self):
        self.target = Target("minio-py")
        self.bucket = self.target.bucket
        # No region: the client asks the server for the bucket's, as it does for most users.
        self.minio = Minio(self.target.address, access_key=self.target.access_key,
                           secret_key=self.target.secret_key, secure=self.target.secure)

    def put(self, key, data, **more):
        return self.minio.put_object(self.bucket, key, io.BytesIO(data), len(data), **more)

    def get(self, key, **more):
        reply = self.minio.get_object(self.bucket, key, **more)
        try:
            return reply.read()
        finally:
            reply.close()
            reply.release_conn()

    def keys(self, **more):
        return [item.object_name for item in self.minio.list_objects(self.bucket, **more)]


def refused(code, call, *arguments, **more):
    try:
        call(*arguments, **more)
    except S3Error as error:
        equal(error.code, code, "error code")
        return
    raise AssertionError(f"must be refused with {code}, but succeeded")


@check("make_bucket, bucket_exists, list_buckets")
def buckets(client):
    true(not client.minio.bucket_exists(client.bucket), "not there yet")
    client.minio.make_bucket(client.bucket)
    true(client.minio.bucket_exists(client.bucket), "exists")
    true(client.bucket in [bucket.name for bucket in client.minio.list_buckets()], "listed")


@check("put, get, stat, with metadata")
def put_get(client):
    for size in (0, 1000, 3 * MIB):
        data = random_bytes(size)
        equal(client.put(f"size/{size}", data, content_type="x/y", metadata={"colour": "blue"}).etag, md5(data), "ETag")
        true(client.get(f"size/{size}") == data, f"{size} bytes differ")
        stat = client.minio.stat_object(client.bucket, f"size/{size}")
        equal((stat.size, stat.etag, stat.content_type, stat.metadata["x-amz-meta-colour"]),
              (size, md5(data), "x/y", "blue"), "stat")


@check("ranges")
def ranges(client):
    data = random_bytes(3 * MIB)
    for offset, length in ((0, 10), (1000, 5000), (MIB - 3, 2 * MIB)):
        true(client.get(f"size/{3 * MIB}", offset=offset, length=length) == data[offset:offset + length], "range")
    refused("InvalidRange", client.get, f"size/{3 * MIB}", offset=4 * MIB)


@check("multipart of 24 MiB, of known and of unknown length")
def multipart(client):
    data = random_bytes(24 * MIB)
    client.put("big", data, part_size=10 * MIB, num_parallel_uploads=3)
    true(client.get("big") == data, "bytes differ")
    client.minio.put_object(client.bucket, "unknown", io.BytesIO(data), -1, part_size=10 * MIB)
    true(client.get("unknown") == data, "unknown length: bytes differ")
    true(client.minio.stat_object(client.bucket, "big").etag.endswith("-3"), "three parts")


@check("copy and compose")
def copy(client):
    client.minio.copy_object(client.bucket, "copied", CopySource(client.bucket, "size/1000"))
    equal(client.get("copied"), random_bytes(1000), "copied")
    client.minio.copy_object(client.bucket, "copied", CopySource(client.bucket, "size/1000"),
                             metadata={"colour": "red"}, metadata_directive=REPLACE)
    equal(client.minio.stat_object(client.bucket, "copied").metadata["x-amz-meta-colour"], "red", "metadata")
    client.minio.compose_object(client.bucket, "composed", [
        ComposeSource(client.bucket, "big"), ComposeSource(client.bucket, "size/1000")])
    true(client.get("composed") == random_bytes(24 * MIB) + random_bytes(1000), "composed bytes differ")


@check("odd keys: put, list, get, remove_objects")
def odd_keys(client):
    keys = [f"odd/{key}" for key in ODD_KEYS[:-1]] + ODD_KEYS[-1:]
    for key in keys:
        client.put(key, key.encode())
    expected = sorted((key for key in keys if key.startswith("odd/")), key=str.encode)
    equal(client.keys(prefix="odd/", recursive=True), expected, "list v2")
    equal(client.keys(prefix="odd/", recursive=True, use_api_v1=True), expected, "list v1")
    for key in keys:
        equal(client.get(key), key.encode(), key)
    errors = list(client.minio.remove_objects(client.bucket, [DeleteObject(key) for key in keys]))
    equal(errors, [], "errors of the bulk delete")
    equal(client.keys(prefix="odd/", recursive=True), [], "left over")


@check("listing: 1,050 keys, folders, start_after")
def listing(client):
    keys = [f"list/{number % 5}/{number:04}" for number in range(1050)]
    for key in keys:
        client.put(key, b"")
    keys.sort()
    equal(client.keys(prefix="list/", recursive=True), keys, "all")
    equal(client.keys(prefix="list/"), [f"list/{number}/" for number in range(5)], "folders")
    equal(client.keys(prefix="list/", recursive=True, start_after=keys[1000]), keys[1001:], "start_after")
    list(client.minio.remove_objects(client.bucket, [DeleteObject(key) for key in keys]))


@check("presigned GET, PUT and POST policy")
def presigned(client):
    soon = datetime.timedelta(minutes=5)
    url = client.minio.presigned_put_object(client.bucket, "signed +ü", expires=soon)
    equal(http("PUT", url, b"presigned")[0], 200, "PUT")
    url = client.minio.presigned_get_object(client.bucket, "signed +ü", expires=soon)
    equal(http("GET", url)[::2], (200, b"presigned"), "GET")
    policy = PostPolicy(client.bucket, datetime.datetime.now(datetime.timezone.utc) + soon)
    policy.add_starts_with_condition("key", "form/")
    policy.add_content_length_range_condition(1, 100)
    fields = {**client.minio.presigned_post_policy(policy), "key": "form/one"}
    mark = "boundary81f"
    body = "".join(f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                   for name, value in fields.items())
    body += f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nform\r\n--{mark}--\r\n'
    status = http("POST", f"{client.target.endpoint}/{client.bucket}", body.encode(),
                  {"Content-Type": f"multipart/form-data; boundary={mark}"})[0]
    equal((status, client.get("form/one")), (204, b"form"), "POST")


@check("uploads left behind are listed and aborted")
def uploads(client):
    upload = client.minio._create_multipart_upload(client.bucket, "left", {})
    listed = client.minio._list_multipart_uploads(client.bucket).uploads
    equal([(item.object_name, item.upload_id) for item in listed], [("left", upload)], "listed")
    client.minio._abort_multipart_upload(client.bucket, "left", upload)
    equal(client.minio._list_multipart_uploads(client.bucket).uploads, [], "after the abort")


@check("errors: NoSuchKey, NoSuchBucket, BucketNotEmpty")
def errors(client):
    refused("NoSuchKey", client.get, "absent")
    refused("NoSuchKey", client.minio.stat_object, client.bucket, "absent")
    refused("NoSuchBucket", client.minio.get_object, f"absent-{client.bucket}", "x")
    refused("BucketNotEmpty", client.minio.remove_bucket, client.bucket)


@check("remove everything and the bucket")
def clean(client):
    doomed = [DeleteObject(key) for key in client.keys(recursive=True)]
    equal(list(client.minio.remove_objects(client.bucket, doomed)), [], "errors")
    client.minio.remove_bucket(client.bucket)
    true(not client.minio.bucket_exists(client.bucket), "bucket gone")


main("minio-py", Client())

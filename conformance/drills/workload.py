"""Writers of every kind against a server that may die at any moment, and the check afterwards."""

import base64
import collections
import dataclasses
import random
import threading
import time
import zlib

from ledger import ABSENT
from ledger import Ledger
from ledger import make_content
from ledger import read_content
from s3 import Interrupted
from s3 import without_namespace

BUCKET = "drill"
KEYS_PER_WRITER = 12
SHARED_KEYS = 6
PART_BYTES = 5 * 1024 * 1024
# One block of random bytes, cut at random places: contents differ without the cost of making them.
BLOCK = random.Random(7).randbytes(8 * 1024 * 1024)


@dataclasses.dataclass
class Upload:
    """A multipart upload that a crash may have interrupted."""

    key: str
    identity: str
    body: bytes
    upload: str
    parts: dict
    operation: object = None  # of the Complete, once it was sent
    created: float = dataclasses.field(default_factory=time.monotonic)
    answered: dict = dataclasses.field(default_factory=dict)  # part number -> when


class Workload:
    """All writers, their ledger, and what went wrong so far."""

    def __init__(self, connect, seed, writers, bytes_per_cycle):
        self.connect = connect
        self.seed = seed
        self.writers = writers
        self.bytes_per_cycle = bytes_per_cycle
        self.ledger = Ledger()
        self.uploads = []
        self.faults = collections.Counter()
        self.reports = []
        self.counts = collections.Counter()
        self.tolerate_errors = False  # a dying disk may answer 5xx; a living server may not
        self.stop = threading.Event()
        self.budget = 0
        self.cycle = 0
        self.threads = []

    def fault(self, kind, text):
        """Notes a violation."""
        self.faults[kind] += 1
        self.reports.append(f"cycle {self.cycle}: {kind}: {text}")

    def begin(self, cycle):
        """Starts the writers."""
        self.cycle = cycle
        self.budget = self.bytes_per_cycle
        self.stop.clear()
        self.threads = [threading.Thread(target=self._write, args=(number,), daemon=True)
                        for number in range(self.writers)]
        for thread in self.threads:
            thread.start()

    def end(self):
        """Waits for the writers, whose server is dead."""
        self.stop.set()
        for thread in self.threads:
            thread.join(60)
            if thread.is_alive():
                raise AssertionError("a writer hangs although the server is gone")

    def cut(self, begun):
        """Power went at this time: uploads and parts that were acknowledged later, nobody ever heard of."""
        self.uploads = [upload for upload in self.uploads if upload.created < begun]
        for upload in self.uploads:
            upload.parts = {number: etag for number, etag in upload.parts.items() if upload.answered[number] < begun}

    def _write(self, number):
        writer = Writer(self, number)
        while not self.stop.is_set():
            try:
                writer.step()
            except Interrupted:
                return
            except Exception as reason:  # a writer that stops early would make the drill easier
                self.fault("writer", repr(reason))
                return


class Writer:
    """One thread's keys and moves."""

    MOVES = (("put_small", 30), ("put_large", 14), ("put_shared", 12), ("delete", 12), ("copy", 10),
             ("multipart", 4), ("create_once", 6), ("bulk_delete", 2), ("read_back", 10))

    def __init__(self, workload, number):
        self.workload = workload
        self.ledger = workload.ledger
        self.random = random.Random(f"{workload.seed}/{workload.cycle}/{number}")
        self.client = workload.connect()
        self.number = number
        self.turn = 0
        self.keys = [f"own/{number}/{index}" for index in range(KEYS_PER_WRITER)]

    def step(self):
        """One move."""
        names, weights = zip(*self.MOVES)
        move = self.random.choices(names, weights)[0]
        if self.workload.budget <= 0 and move in ("put_large", "multipart"):
            move = "put_small"
        self.turn += 1
        self.workload.counts[move] += 1
        getattr(self, move)()

    def _identity(self, key):
        return f"{self.workload.cycle}.{self.number}.{self.turn}:{key}"

    def _body(self, key, size):
        at = self.random.randrange(len(BLOCK) - size)
        self.workload.budget -= size
        identity = self._identity(key)
        return identity, make_content(identity, BLOCK[at:at + size])

    def _send(self, key, content, method, expected, **request):
        """Sends a write and notes what came of it; gives the status."""
        operation = self.ledger.sent(key, content)
        status, _, body = self.client.request(method, f"/{BUCKET}/{key}", **request)
        if status in expected:
            self.ledger.answered(operation, refused=status >= 400)
        else:
            self._unexpected(f"{method} {key}", status, body)
        return status

    def _unexpected(self, what, status, body):
        text = f"{what}: {status} {body[:300]!r}"
        if self.workload.tolerate_errors and (status >= 500 or (status == 200 and b"<Error>" in body)):
            raise Interrupted(text)  # the disk is gone; nothing more to learn from this writer
        if status < 500:
            self.workload.fault("refused", text)
        else:
            self.workload.fault("server error", text)

    def put_small(self):
        key = self.random.choice(self.keys)
        identity, body = self._body(key, int(10 ** self.random.uniform(0, 4.4)))
        self._send(key, identity, "PUT", (200,), body=body)

    def put_large(self):
        key = self.random.choice(self.keys)
        identity, body = self._body(key, int(10 ** self.random.uniform(4.6, 6.4)))
        self._send(key, identity, "PUT", (200,), body=body)

    def put_shared(self):
        key = f"shared/{self.random.randrange(SHARED_KEYS)}"
        if self.random.random() < 0.2:
            self._send(key, ABSENT, "DELETE", (204,))
            return
        identity, body = self._body(key, int(10 ** self.random.uniform(1, 5.3)))
        self._send(key, identity, "PUT", (200,), body=body)

    def create_once(self):
        """Many writers, one new key, If-None-Match: one may win."""
        key = f"once/{self.workload.cycle}/{self.turn // 16}"
        identity, body = self._body(key, 200)
        self._send(key, identity, "PUT", (200, 412, 409), body=body, headers={"if-none-match": "*"})

    def delete(self):
        self._send(self.random.choice(self.keys), ABSENT, "DELETE", (204,))

    def bulk_delete(self):
        keys = self.random.sample(self.keys, 3)
        status, body = delete_all(self.client, self.ledger, keys)
        if status != 200 or b"<Error>" in body:
            self._unexpected("bulk delete", status, body)

    def copy(self):
        """Server-side copy of an own key, whose content this writer knows."""
        source, target = self.random.sample(self.keys, 2)
        history = self.ledger.history.get(source)
        if not history or history[-1].content is ABSENT or not history[-1].acknowledged:
            return
        self._send(target, history[-1].content, "PUT", (200,),
                   headers={"x-amz-copy-source": f"/{BUCKET}/{source}"})

    def multipart(self):
        key = self.random.choice(self.keys)
        identity, body = self._body(key, PART_BYTES + self.random.randrange(1, 500_000))
        status, _, reply = self.client.request("POST", f"/{BUCKET}/{key}", {"uploads": ""})
        if status != 200:
            self._unexpected("create upload", status, reply)
            return
        upload = Upload(key, identity, body, without_namespace(reply).findtext("UploadId"), {})
        self.workload.uploads.append(upload)
        for number, piece in pieces(body).items():
            status, headers, reply = self.client.request(
                "PUT", f"/{BUCKET}/{key}", {"partNumber": str(number), "uploadId": upload.upload}, piece)
            if status != 200:
                self._unexpected("upload part", status, reply)
                return
            upload.parts[number] = headers["ETag"]
            upload.answered[number] = time.monotonic()
        upload.operation = self.ledger.sent(key, identity)
        status, reply = complete(self.client, upload)
        if status == 200 and b"<Error>" not in reply:
            self.ledger.answered(upload.operation)
            self.workload.uploads.remove(upload)
        else:
            self._unexpected("complete", status, reply)

    def read_back(self):
        """An own key reads as this writer left it, while others write."""
        key = self.random.choice(self.keys)
        content = observe(self.client, key, self.workload)
        wrong = self.ledger.judge(key, content)
        if wrong:
            self.workload.fault(wrong, f"{key} while running: read {content}; {self.ledger.describe(key)}")


def delete_all(client, ledger, keys):
    """Sends one DeleteObjects and notes its answer: (status, body)."""
    operations = [ledger.sent(key, ABSENT) for key in keys]
    items = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys)
    document = f"<Delete><Quiet>true</Quiet>{items}</Delete>".encode()
    status, _, body = client.request(
        "POST", f"/{BUCKET}", {"delete": ""}, document, {"x-amz-checksum-crc32": crc32_of(document)})
    if status == 200 and b"<Error>" not in body:
        ledger.answered(*operations)
    return status, body


def crc32_of(data):
    """The CRC32 as S3 writes it."""
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def pieces(body):
    """The parts of a multipart body."""
    return {1: body[:PART_BYTES], 2: body[PART_BYTES:]}


def complete(client, upload):
    """Sends CompleteMultipartUpload: (status, body)."""
    parts = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
                    for number, etag in sorted(upload.parts.items()))
    status, _, body = client.request(
        "POST", f"/{BUCKET}/{upload.key}", {"uploadId": upload.upload},
        f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode())
    return status, body


def observe(client, key, workload):
    """What the key holds: a content's id or ABSENT. A torn body is a fault by itself."""
    status, headers, body = client.request("GET", f"/{BUCKET}/{key}")
    if status == 404:
        return ABSENT
    if status != 200:
        if status >= 500 and workload.tolerate_errors:
            raise Interrupted(f"GET {key}: {status}")
        workload.fault("unreadable", f"GET {key}: {status} {body[:300]!r}")
        return "unreadable"
    identity = read_content(body)
    if identity is None:
        workload.fault("torn", f"{key}: {len(body)} bytes, {headers['ETag']}, begins with {body[:140]!r}")
        return "torn"
    return identity


class Inspection:
    """After a restart: everything is read and compared with the ledger."""

    def __init__(self, workload):
        self.workload = workload
        self.ledger = workload.ledger
        self.client = workload.connect()

    def run(self):
        """Finishes or aborts the interrupted uploads, then reads every key and the listing."""
        for upload in self.workload.uploads:
            self._resume(upload)
        self.workload.uploads.clear()
        self._abort_unknown()
        listed = {key: (size, etag) for key, size, etag in self.client.list(BUCKET, **{"max-keys": "100"})}
        keys = set(self.ledger.history) | set(listed)
        for key in sorted(keys):
            self._inspect(key, listed.get(key))
        self._retire([key for key in keys if key.startswith("once/")], listed)
        return len(keys)

    def _retire(self, keys, listed):
        """Deletes what is written once; a key that was deleted before and stayed so is forgotten."""
        for key in keys:
            if key not in listed:
                del self.ledger.history[key]
        doomed = [key for key in keys if key in listed]
        for at in range(0, len(doomed), 1000):
            status, body = delete_all(self.client, self.ledger, doomed[at:at + 1000])
            if status != 200 or b"<Error>" in body:
                self.workload.fault("refused", f"bulk delete: {status} {body[:300]!r}")

    def _abort_unknown(self):
        """Uploads whose creation was not answered before the crash."""
        status, _, body = self.client.request("GET", f"/{BUCKET}", {"uploads": ""})
        if status != 200:
            self.workload.fault("listing", f"ListMultipartUploads: {status} {body[:300]!r}")
            return
        for upload in without_namespace(body).iter("Upload"):
            at = {"uploadId": upload.findtext("UploadId")}
            status, _, body = self.client.request("DELETE", f"/{BUCKET}/{upload.findtext('Key')}", at)
            if status != 204:
                self.workload.fault("upload lost", f"Abort of {upload.findtext('Key')}: {status} {body[:300]!r}")

    def _inspect(self, key, listed):
        status, headers, body = self.client.request("GET", f"/{BUCKET}/{key}")
        content = ABSENT if status == 404 else read_content(body) if status == 200 else "unreadable"
        if status not in (200, 404):
            self.workload.fault("unreadable", f"GET {key}: {status} {body[:300]!r}")
        elif status == 200 and content is None:
            self.workload.fault("torn", f"{key}: {len(body)} bytes, {headers['ETag']}, begins with {body[:140]!r}")
        else:
            wrong = self.ledger.judge(key, content)
            if wrong:
                self.workload.fault(wrong, f"{key}: read {content}; {self.ledger.describe(key)}")
        history = self.ledger.history.get(key, [])
        if key.startswith("once/") and sum(o.acknowledged and o.content is not ABSENT for o in history) > 1:
            self.workload.fault("two winners", f"{key}: {self.ledger.describe(key)}")
        seen = (len(body), headers["ETag"]) if status == 200 else None
        if seen != listed:
            self.workload.fault("listing", f"{key}: listed as {listed}, read as {seen}")
        self.ledger.settle(key, content)

    def _resume(self, upload):
        """Acknowledged parts must still be there; a Complete must work, whether it was lost or not."""
        if len(upload.parts) == len(pieces(upload.body)):
            if upload.operation is None:
                upload.operation = self.ledger.sent(upload.key, upload.identity)
            status, body = complete(self.client, upload)
            if status == 200 and b"<Error>" not in body:
                self.ledger.answered(upload.operation)
            else:
                self.workload.fault("upload lost", f"Complete of {upload.key} again: {status} {body[:300]!r}")
            return
        at = {"uploadId": upload.upload}
        status, _, body = self.client.request("GET", f"/{BUCKET}/{upload.key}", at)
        if status != 200:
            self.workload.fault("upload lost", f"ListParts of {upload.key}: {status} {body[:300]!r}")
            return
        found = {int(part.findtext("PartNumber")): part.findtext("ETag") for part in without_namespace(body).iter("Part")}
        missing = {number for number, etag in upload.parts.items() if found.get(number) != etag}
        if missing:
            self.workload.fault("part lost", f"{upload.key}: parts {missing} of {upload.parts}, found {found}")
        status, _, body = self.client.request("DELETE", f"/{BUCKET}/{upload.key}", at)
        if status != 204:
            self.workload.fault("upload lost", f"Abort of {upload.key}: {status} {body[:300]!r}")


def wait_for_load(workload, random_source, shortest=0.3, longest=2.5):
    """Lets the writers run for a random while."""
    end = time.monotonic() + random_source.uniform(shortest, longest)
    while time.monotonic() < end and any(thread.is_alive() for thread in workload.threads):
        time.sleep(0.005)


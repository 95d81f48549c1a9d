"""Mixed load that goes on while disks die: every request is tried once more, and every answer is judged.

Unlike the writers of workload.py these never stop: a failure of the server is counted, tried again once, and the
ledger is told. Every attempt writes a content of its own, so that each blob on disk belongs to one attempt.
"""

import collections
import dataclasses
import random
import statistics
import threading
import time

from ledger import ABSENT
from ledger import HEADER_BYTES
from ledger import Ledger
from ledger import make_content
from ledger import read_content
from s3 import Interrupted
from s3 import without_namespace

BUCKET = "torture"
# One block of random bytes, cut at random places: contents differ without the cost of making them.
BLOCK = random.Random(11).randbytes(8 * 1024 * 1024)
PART_BYTES = 5 * 1024 * 1024
# An SDK waits about this long before its first retry.
RETRY_AFTER = 0.25


@dataclasses.dataclass
class Shape:
    """How much load, of which kind."""

    writers: int = 8
    keys: int = 12
    large: int = 1_500_000  # bytes of the largest object written in one piece
    pause: float = 0.0  # between two moves of a writer
    multipart: bool = True
    timeout: float = 30.0
    moves: tuple = (("put_small", 22), ("put_large", 16), ("get", 36), ("get_base", 10), ("delete", 8), ("copy", 4),
                    ("multipart", 1), ("listing", 3))


class Load:
    """The writers, what they saw, and the judge."""

    def __init__(self, connect, seed, shape=None):
        self.connect = connect
        self.seed = seed
        self.shape = shape or Shape()
        self.ledger = Ledger()
        self.faults = collections.Counter()
        self.reports = []
        self.lock = threading.Lock()
        self.errors_first = collections.Counter()
        self.errors_second = collections.Counter()
        self.samples = []  # (when, "put" or "get", seconds), of the first attempt or both
        self.stop = threading.Event()
        self.threads = []
        self.round = 0
        self.base = []

    def fault(self, kind, text):
        """Notes a violation."""
        with self.lock:
            self.faults[kind] += 1
            if len(self.reports) < 200:
                self.reports.append(f"{kind}: {text}")

    def lay_base(self, number, size, parallel=4):
        """Writes `number` objects of about `size` bytes that are read and never changed."""
        keys = [f"base/{len(self.base) + index:06}" for index in range(number)]

        def lay(mine, at):
            writer = Writer(self, 1000 + at)
            for key in mine:
                writer.put(key, max(1, int(size * writer.random.uniform(0.5, 1.5))))
        threads = [threading.Thread(target=lay, args=(keys[at::parallel], at), daemon=True) for at in range(parallel)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.base += keys

    def begin(self):
        """Starts the writers."""
        self.round += 1
        self.stop.clear()
        self.threads = [threading.Thread(target=self._run, args=(number,), daemon=True)
                        for number in range(self.shape.writers)]
        for thread in self.threads:
            thread.start()

    def end(self):
        """Stops them and waits."""
        self.stop.set()
        for thread in self.threads:
            thread.join(2 * self.shape.timeout + 30)
            if thread.is_alive():
                self.fault("stuck", "a request has no answer and no timeout")
        self.threads = []

    def running(self, seconds):
        """Lets them run for a while."""
        self.stop.wait(seconds)

    def __enter__(self):
        self.begin()
        return self

    def __exit__(self, *_):
        self.end()

    def latency(self, kind, begun, ended, share=0.99):
        """The p99 of an operation between two times, in seconds; None without enough samples."""
        with self.lock:
            found = sorted(seconds for when, what, seconds in self.samples
                           if what == kind and begun <= when - seconds and when <= ended)
        return statistics.quantiles(found, n=1000)[int(share * 1000) - 1] if len(found) >= 20 else None

    def _run(self, number):
        writer = Writer(self, number)
        names, weights = zip(*self.shape.moves)
        while not self.stop.is_set():
            try:
                getattr(writer, writer.random.choices(names, weights)[0])()
            except Exception as reason:  # a writer that stops early would make the drill easier
                self.fault("writer", repr(reason))
            if self.shape.pause:
                self.stop.wait(self.shape.pause)

    def inspect(self, patience=2):
        """Reads every key and compares with the ledger; gives the (key, size, ETag) of all objects."""
        client = self.connect()
        listed = client.list(BUCKET)
        seen = {key: (size, etag) for key, size, etag in listed}
        for key in sorted(set(self.ledger.history) | set(seen)):
            self._inspect(client, key, seen.get(key), patience)
        return listed

    def _inspect(self, client, key, listed, patience):
        for attempt in range(patience):
            try:
                status, headers, body = client.request("GET", f"/{BUCKET}/{key}")
            except Interrupted as reason:
                status, headers, body = 599, {}, str(reason).encode()
            if status < 500:
                break
            time.sleep(RETRY_AFTER * attempt)
        if status not in (200, 404):
            self.fault("unreadable", f"GET {key}: {status} {body[:200]!r}")
            return
        content = ABSENT if status == 404 else read_content(body)
        if status == 200 and content is None:
            self.fault("torn", f"{key}: {len(body)} bytes, begins with {body[:100]!r}")
            return
        wrong = self.ledger.judge(key, content)
        if wrong:
            self.fault(wrong, f"{key}: read {content}; {self.ledger.describe(key)}")
        if (listed is None) != (status == 404) or (listed and listed != (len(body), headers["ETag"])):
            self.fault("listing", f"{key}: listed as {listed}, read as {status}, {len(body)} bytes")
        self.ledger.settle(key, content)


class Writer:
    """One thread's keys and moves."""

    def __init__(self, load, number):
        self.load = load
        self.ledger = load.ledger
        self.random = random.Random(f"{load.seed}/{load.round}/{number}")
        self.client = load.connect()
        self.number = number
        self.turn = 0
        self.keys = [f"own/{number}/{index}" for index in range(load.shape.keys)]

    def put_small(self):
        self.put(self.random.choice(self.keys), int(10 ** self.random.uniform(1, 4.4)))

    def put_large(self):
        self.put(self.random.choice(self.keys), self.random.randrange(40_000, self.load.shape.large))

    def put(self, key, size):
        """Writes a new content; gives whether it was acknowledged."""
        return self._write(key, "PUT", lambda: self._content(key, size))

    def delete(self):
        self._write(self.random.choice(self.keys), "DELETE", lambda: (ABSENT, b""))

    def copy(self):
        """Server-side copy of an own key, whose content this writer knows."""
        source, target = self.random.sample(self.keys, 2)
        history = self.ledger.history.get(source)
        if not history or history[-1].content is ABSENT or not history[-1].acknowledged:
            return
        self._write(target, "PUT", lambda: (history[-1].content, b""), {"x-amz-copy-source": f"/{BUCKET}/{source}"})

    def get(self):
        self.read(self.random.choice(self.keys))

    def get_base(self):
        if self.load.base:
            self.read(self.random.choice(self.load.base))

    def listing(self):
        self._tried("list", lambda: self.client.request(
            "GET", f"/{BUCKET}", {"list-type": "2", "prefix": f"own/{self.number}/", "max-keys": "100"}))

    def read(self, key):
        """An own key reads as this writer left it; no byte is wrong. Gives the status."""
        status, body = self._tried("get", lambda: self.client.request("GET", f"/{BUCKET}/{key}"))
        if status == 404:
            content = ABSENT
        elif status == 200:
            content = read_content(body)
            if content is None:
                self.load.fault("wrong bytes", f"{key}: {len(body)} bytes, begins with {body[:HEADER_BYTES]!r}")
                return status
        else:
            return status
        wrong = self.ledger.judge(key, content)
        if wrong:
            self.load.fault(wrong, f"{key} while running: read {content}; {self.ledger.describe(key)}")
        return status

    def multipart(self):
        if not self.load.shape.multipart:
            return
        key = self.random.choice(self.keys)
        status, body = self._tried("create", lambda: self.client.request("POST", f"/{BUCKET}/{key}", {"uploads": ""}))
        if status != 200:
            return
        upload = without_namespace(body).findtext("UploadId")
        identity, content = self._content(key, PART_BYTES + self.random.randrange(100_000, 600_000))
        etags = []
        for number, piece in ((1, content[:PART_BYTES]), (2, content[PART_BYTES:])):
            query = {"partNumber": str(number), "uploadId": upload}
            headers = {}

            def send(piece=piece, query=query, headers=headers):
                status, reply, body = self.client.request("PUT", f"/{BUCKET}/{key}", query, piece)
                headers.update(reply)
                return status, reply, body
            status, _ = self._tried("part", send)
            if status != 200:
                return
            etags.append(headers.get("ETag", headers.get("etag")))
        parts = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
                        for number, etag in enumerate(etags, start=1))
        document = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        # Complete is idempotent: two attempts are one operation.
        operation = self.ledger.sent(key, identity)
        status, body = self._tried("complete", lambda: self.client.request(
            "POST", f"/{BUCKET}/{key}", {"uploadId": upload}, document))
        if status == 200 and b"<Error>" not in body:
            self.ledger.answered(operation)
        elif status < 500:
            self.ledger.answered(operation, refused=True)

    def _content(self, key, size):
        self.turn += 1
        at = self.random.randrange(len(BLOCK) - size)
        identity = f"{self.load.round}.{self.number}.{self.turn}:{key}"
        return identity, make_content(identity, BLOCK[at:at + size])

    def _write(self, key, method, make, headers=None):
        """Sends a write, once more when the server fails; every attempt is an operation of the ledger."""
        state = {}

        def send():
            identity, body = make()
            state["operation"] = operation = self.ledger.sent(key, identity)
            status, reply, body = self.client.request(method, f"/{BUCKET}/{key}", body=body, headers=headers)
            if status in (200, 204) and b"<Error>" not in body:
                self.ledger.answered(operation)
            elif status >= 500 or status == 200:
                self.ledger.failed(operation)
                status = max(status, 500)
            else:
                self.ledger.answered(operation, refused=True)
                if not (status == 404 and headers):  # the source of a copy may be gone
                    self.load.fault("refused", f"{method} {key}: {status} {body[:200]!r}")
            return status, reply, body
        status, _ = self._tried("put" if method == "PUT" else "delete", send)
        return status in (200, 204)

    def _tried(self, kind, send):
        """One attempt and, when the server fails, one more: (status, body)."""
        load, begun = self.load, time.monotonic()
        for errors in (load.errors_first, load.errors_second):
            try:
                status, _, body = send()
                error = f"{status}" if status >= 500 else None
            except Interrupted as reason:
                status, body, error = 599, b"", f"cut: {str(reason)[:60]}"
            if not error:
                break
            with load.lock:
                errors[f"{kind} {error}"] += 1
            load.stop.wait(RETRY_AFTER)
        now = time.monotonic()
        with load.lock:
            load.samples.append((now, kind, now - begun))
        return status, body

"""What the writers know: which writes were sent, which were acknowledged, and what may be read afterwards.

Every write of a key is an `Operation` with the time at which it was sent and the time at which its
answer came (never, if the server died first). A state that is read after a crash is right exactly
when some operation explains it: one that produced this state, was not refused, and after whose
answer no acknowledged operation on the key was sent. That rule knows lost writes, deletes that came
back and stale versions, for keys with one writer and with many alike.

Contents describe themselves: a header with an id, the length and the SHA-256 of what follows. A
body of mixed or missing pieces can't pass for any content.
"""

import dataclasses
import hashlib
import math
import threading
import time

HEADER_BYTES = 128
ABSENT = None


@dataclasses.dataclass
class Operation:
    """A write or delete of one key."""

    content: str | None  # the id of what the key holds afterwards, or ABSENT
    sent: float
    answered: float = math.inf
    refused: bool = False
    unsure: bool = False  # answered with a failure of the server: done or not done, but not later

    @property
    def acknowledged(self):
        return self.answered < math.inf and not self.refused and not self.unsure


class Ledger:
    """The operations on every key since its state was last known for certain."""

    def __init__(self):
        self.lock = threading.Lock()
        self.history = {}
        self.acknowledged = 0

    def sent(self, key, content):
        """Notes that a write is about to be sent."""
        operation = Operation(content, time.monotonic())
        with self.lock:
            self.history.setdefault(key, [Operation(ABSENT, -math.inf, -math.inf)]).append(operation)
        return operation

    def answered(self, *operations, refused=False):
        """Notes the answer."""
        now = time.monotonic()
        with self.lock:
            for operation in operations:
                operation.refused = refused
                operation.answered = now
                self.acknowledged += not refused

    def failed(self, operation):
        """Notes an answer of 5xx: it may have been done by now, and must not be done from now on."""
        with self.lock:
            operation.unsure = True
            operation.answered = time.monotonic()

    def cut(self, begun, done):
        """Power went between these times: what was answered later, no client of a dead machine ever heard.

        Gives the keys of writes that were sent when the disk was gone and acknowledged all the same. Deletes do
        not count there: of a key that is not there, a delete needs no disk.
        """
        brazen = []
        for key, history in self.history.items():
            for operation in history:
                if not operation.acknowledged or operation.answered < begun:
                    continue
                if operation.sent > done and operation.content is not ABSENT:
                    brazen.append(key)
                operation.answered = math.inf
        return brazen

    def judge(self, key, content):
        """What is wrong with reading `content` under `key` now: None, or lost / resurrected / stale / foreign."""
        history = self.history.get(key, [Operation(ABSENT, -math.inf, -math.inf)])
        acknowledged = [operation for operation in history if operation.acknowledged]
        makers = [operation for operation in history if operation.content == content and not operation.refused]
        if not makers:
            return "foreign" if content is not ABSENT else "lost"
        for maker in makers:
            if not any(later.sent > maker.answered for later in acknowledged):
                return None
        if content is ABSENT:
            return "lost"
        last = max(acknowledged, key=lambda operation: operation.sent)
        return "resurrected" if last.content is ABSENT else "stale"

    def settle(self, key, content):
        """The key was read while nobody wrote: this is its state."""
        now = time.monotonic()
        self.history[key] = [Operation(content, -math.inf, now)]

    def describe(self, key):
        """The key's operations, for a report."""
        return "; ".join(
            f"{operation.content or 'delete'} sent {operation.sent:.3f} "
            + ("refused" if operation.refused else f"failed {operation.answered:.3f}" if operation.unsure else
               f"answered {operation.answered:.3f}" if operation.acknowledged else "unanswered")
            for operation in self.history.get(key, []))


def make_content(identity, payload):
    """A body that says what it is."""
    header = f"drill {identity} {len(payload)} {hashlib.sha256(payload).hexdigest()} ".encode()
    return header.ljust(HEADER_BYTES - 1, b".") + b"\n" + payload


def read_content(body):
    """The id of a whole body; None for anything else."""
    try:
        word, identity, length, digest, _ = body[:HEADER_BYTES].decode().split(" ")
    except (UnicodeDecodeError, ValueError):
        return None
    payload = memoryview(body)[HEADER_BYTES:]
    whole = word == "drill" and len(payload) == int(length) and hashlib.sha256(payload).hexdigest() == digest
    return identity if whole else None

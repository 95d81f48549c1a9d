"""The machine gives less than is asked: descriptors, memory, a clock that can be trusted."""

import collections
import glob
import os
import resource
import selectors
import socket
import time

import server as holdall
from ground import Unavailable
from ground import needs
from ledger import HEADER_BYTES
from ledger import make_content
from load import BUCKET
from load import Shape
from recipes.recipe import Recipe
from s3 import Client

MIB = 1024 * 1024


def descriptors(trial):
    """256 file descriptors and 400 connections; then the connections go."""
    volumes = [trial.ground.directory(f"volume{number}") for number in range(3)]
    trial.serve(volumes, shape=Shape(writers=2))
    trial.load.lay_base(30, 100_000)
    trial.before()
    trial.server.stop()
    trial.server.before = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    try:
        trial.server.start()
    except AssertionError as reason:
        trial.outcome.figure("a start with 256 descriptors is refused: " + str(reason)[-200:])
        trial.server.before = None
        trial.server.start()
        trial.conclude()
        return
    crowd = [_connect(trial.server.port) for _ in range(400)]
    trial.load.shape.timeout = 3
    with trial.load:
        trial.load.running(2 if trial.short else 10)
    refused = sum(trial.load.errors_second.values())
    trial.outcome.figure(f"{refused} requests had no connection in the crowd")
    trial.load.errors_second.clear()
    for connection in crowd:
        connection.close()
    trial.load.shape.timeout = 30
    time.sleep(1)
    with trial.load:
        trial.load.running(2)
    trial.until_repaired(60)
    trial.conclude()
    trial.outcome.expect_no_errors()


def _connect(port):
    connection = socket.socket()
    connection.setblocking(False)
    connection.connect_ex(("127.0.0.1", port))
    return connection


def memory(trial):
    """2,000 PUTs of 1 MiB at once, a budget of 128 MiB, and a control group that kills at 640 MiB."""
    number, limit = (60, 512 * MIB) if trial.short else (2000, 640 * MIB)
    group = trial.ground.group("memory", "limit")
    volumes = [trial.ground.directory(f"volume{index}") for index in range(3)]
    trial.serve(volumes, shape=Shape(writers=2), settings={"HOLDALL_MEMORY_BUDGET": "128MiB"})
    trial.load.lay_base(10, 100_000)
    trial.before()
    (group / "memory.limit_in_bytes").write_text(str(limit), encoding="ascii")
    (group / "cgroup.procs").write_text(str(trial.server.process.pid), encoding="ascii")
    answers = _flood(trial, number)
    if not trial.server.running():
        trial.outcome.fail("the server was killed for its memory")
        trial.server.start()
    peak = int((group / "memory.max_usage_in_bytes").read_text(encoding="ascii")) / MIB
    trial.outcome.figure(f"{number} PUTs of 1 MiB at once: {answers}; peak with page cache {peak:.0f} MiB of "
                         f"{limit // MIB}")
    if set(answers) - {200, 503}:
        trial.outcome.fail(f"answers {answers}")
    with trial.load:
        trial.load.running(2)
    trial.until_repaired(60)
    trial.conclude()
    trial.outcome.expect_no_errors()


def _flood(trial, number):
    """Sends all of them side by side over non-blocking sockets; gives how many got which answer."""
    chooser, flows, answers = selectors.DefaultSelector(), {}, collections.Counter()
    signer, payload = trial.connect(), os.urandom(MIB)
    for index in range(number):
        key, identity = f"flood/{index}", f"flood.{index}"
        body = make_content(identity, payload)
        headers = signer.signed("PUT", f"/{BUCKET}/{key}", body)
        head = f"PUT /{BUCKET}/{key} HTTP/1.1\r\ncontent-length: {len(body)}\r\nconnection: close\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
        connection = _connect(trial.server.port)
        # The payload is shared: only the heads differ.
        pieces = [memoryview(head.encode() + body[:HEADER_BYTES]), memoryview(payload)]
        flows[connection] = (pieces, trial.load.ledger.sent(key, identity))
        chooser.register(connection, selectors.EVENT_WRITE)
    end = time.monotonic() + 300
    while flows and time.monotonic() < end:
        for key, events in chooser.select(1):
            answer = _advance(chooser, key.fileobj, events, flows[key.fileobj][0])
            if answer is not None:
                answers[answer] += 1
                _note(trial, answer, flows.pop(key.fileobj)[1])
    if flows:
        answers["none"] = len(flows)
    return dict(answers)


def _note(trial, answer, operation):
    if answer == 200:
        trial.load.ledger.answered(operation)
    elif isinstance(answer, int) and answer >= 500:
        trial.load.ledger.failed(operation)


def _advance(chooser, connection, events, pieces):
    """Sends or receives what there is; the answer once it is there: a status, or what went wrong."""
    try:
        if events & selectors.EVENT_WRITE and pieces:
            sent = connection.send(pieces[0][:256 * 1024])
            pieces[0] = pieces[0][sent:]
            if not pieces[0]:
                pieces.pop(0)
            chooser.modify(connection, selectors.EVENT_READ | (selectors.EVENT_WRITE if pieces else 0))
        if not events & selectors.EVENT_READ:
            return None
        reply = connection.recv(4096)
        answer = int(reply.split(b" ", 2)[1]) if reply else "cut"
    except BlockingIOError:
        return None
    except (OSError, ValueError, IndexError) as reason:
        answer = type(reason).__name__
    chooser.unregister(connection)
    connection.close()
    return answer


def clock(trial):
    """The wall clock jumps by hours and years while the server runs: a later write always wins."""
    libraries = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not libraries:
        raise Unavailable("needs libfaketime")
    needs("sh", root=False)
    volumes = [trial.ground.directory(f"volume{number}") for number in range(3)]
    trial.serve(volumes, shape=Shape(writers=3))
    trial.load.lay_base(10, 60_000)
    trial.before()
    trial.server.stop()
    file = os.path.join(trial.ground.path, "clock")
    skew = _Clock(file)
    skew.set(0)
    trial.server.settings |= {"LD_PRELOAD": libraries[0], "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_NO_CACHE": "1",
                              "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    trial.server.start()
    trial.connect = lambda: _skewed(trial, skew)
    trial.load.connect = trial.connect
    for seconds in ((0, -3600, 3600) if trial.short else (0, -3600, 3600, -10 * 365 * 86400, 10 * 365 * 86400, 60, 0)):
        skew.set(seconds)
        time.sleep(0.2)
        with trial.load:
            trial.load.running(1 if trial.short else 4)
        trial.load.inspect()
    trial.outcome.figure("jumps of ±1 h" + ("" if trial.short else ", ±10 years"))
    skew.set(0)
    trial.until_repaired(60)
    trial.server.settings = {}
    trial.conclude()
    trial.outcome.expect_no_errors()


class _Clock:
    """The skew, told to libfaketime through a file."""

    def __init__(self, path):
        self.path = path
        self.seconds = 0

    def set(self, seconds):
        self.seconds = seconds
        with open(self.path + ".new", "w", encoding="ascii") as file:
            file.write(f"{seconds:+d}\n")
        os.rename(self.path + ".new", self.path)


def _skewed(trial, skew):
    """A client whose clock jumps with the server's."""
    client = Client(trial.server.port, holdall.ACCESS_KEY, holdall.SECRET_KEY)
    client.skew = lambda: skew.seconds
    return client


RECIPES = [
    Recipe("256 descriptors", "a limit of 256 open files and 400 idle connections; then they go", descriptors),
    Recipe("memory limit", "2,000 PUTs of 1 MiB at once, 128 MiB of budget, a control group that kills at 640 MiB",
           memory),
    Recipe("clock jumps", "the server's wall clock jumps under load (libfaketime)", clock),
]

"""What the drills have in common: options, the cycle, the summary."""

import argparse
import collections
import random
import statistics
import time

import server as holdall
from s3 import Client
from workload import BUCKET
from workload import Inspection
from workload import Workload
from workload import wait_for_load


def options(description, cycles, short):
    """The command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--cycles", type=int, default=cycles, help=f"how often to strike (default {cycles})")
    parser.add_argument("--short", action="store_const", dest="cycles", const=short, help=f"{short} cycles")
    parser.add_argument("--writers", type=int, default=16, help="writers at once (default 16)")
    parser.add_argument("--volumes", type=int, default=1, help="volumes of the server (default 1)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--megabytes", type=int, default=100, help="large writes of one cycle (default 100)")
    parser.add_argument("--ready-within", type=float, default=2.0, metavar="SECONDS",
                        help="a start that takes longer is a failure (default 2)")
    return parser.parse_args()


class Drill:
    """A server, its writers, and a way to strike it down."""

    def __init__(self, arguments, server):
        self.arguments = arguments
        self.server = server
        self.random = random.Random(arguments.seed)
        self.workload = Workload(self.connect, arguments.seed, arguments.writers, arguments.megabytes * 1024 * 1024)
        self.ready_times = []
        self.faulty = set()
        self.checked = 0

    def connect(self):
        """A client of the server as it now runs."""
        return Client(self.server.port, holdall.ACCESS_KEY, holdall.SECRET_KEY)

    def run(self, strike):
        """All cycles: load, strike, restart, inspect. `strike` ends the server, however it does that."""
        self.server.start()
        status, _, body = self.connect().request("PUT", f"/{BUCKET}")
        if status != 200:
            raise AssertionError(f"CreateBucket: {status} {body[:300]!r}")
        for cycle in range(1, self.arguments.cycles + 1):
            before = self.workload.ledger.acknowledged
            before_faults = sum(self.workload.faults.values())
            self.workload.begin(cycle)
            wait_for_load(self.workload, self.random)
            if not self.server.running():
                self.workload.fault("crash", self.server.last_words())
            strike()
            self.workload.end()
            self.ready_times.append(self.server.start())
            started = time.monotonic()
            keys = Inspection(self.workload).run()
            self.checked += keys
            print(f"cycle {cycle}: {self.workload.ledger.acknowledged - before} writes acknowledged, ready after "
                  f"{self.ready_times[-1] * 1000:.0f} ms, {keys} keys read in {time.monotonic() - started:.1f} s, "
                  f"{sum(self.workload.faults.values())} faults", flush=True)
            if sum(self.workload.faults.values()) > before_faults:
                self.faulty.add(cycle)
            if sum(self.workload.faults.values()) > 100:
                break
        self.server.kill()

    def summary(self):
        """Prints what came out; gives the exit code."""
        slow = [seconds for seconds in self.ready_times if seconds > self.arguments.ready_within]
        for seconds in slow:
            self.workload.fault("slow start", f"{seconds:.2f} s")
        for report in self.workload.reports[:20]:
            print(f"        | {report}")
        faults = collections.Counter({"lost": 0, "torn": 0, "resurrected": 0}) + self.workload.faults
        found = ", ".join(f"{faults.get(kind, 0)} {kind}" for kind in ["lost", "torn", "resurrected"])
        others = ", ".join(f"{count} {kind}" for kind, count in sorted(self.workload.faults.items())
                           if kind not in ("lost", "torn", "resurrected"))
        moves = ", ".join(f"{count} {move}" for move, count in self.workload.counts.most_common())
        print(f"seed {self.arguments.seed}: {len(self.ready_times)} cycles, {self.arguments.writers} writers, "
              f"{self.workload.ledger.acknowledged} writes acknowledged, {self.checked} keys checked")
        print(f"moves: {moves}")
        if self.ready_times:
            print(f"ready after a median of {statistics.median(self.ready_times) * 1000:.0f} ms, "
                  f"at most {max(self.ready_times) * 1000:.0f} ms")
        print(f"found: {found}{', ' + others if others else ''}")
        failed = len(self.faulty) + bool(slow or (self.workload.faults and not self.faulty))
        print(f"{len(self.ready_times) - len(self.faulty)} passed, {failed} failed")
        return 1 if failed or not self.ready_times else 0

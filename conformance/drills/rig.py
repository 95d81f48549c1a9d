"""A trial: volumes, a server on them, load, and at the end the truth about every byte."""

import contextlib
import json
import os
import random
import subprocess
import time

import census
import server as holdall
from ground import Ground
from load import BUCKET
from load import Load
from load import Shape
from outcome import Outcome
from s3 import Client
from s3 import Interrupted


class Trial:
    """One run of one recipe. A context manager: at its end the server and all disks are gone."""

    def __init__(self, name, did, program, seed, short):
        self.outcome = Outcome(name, did, seed)
        self.program = program
        self.seed = seed
        self.short = short
        self.random = random.Random(f"{seed}/{name}")
        self.ground = Ground("-".join(name.split(" ")[:2]))
        self.server = None
        self.load = None
        self.volumes = []
        self.replicas = 1
        self.timeout = 30.0

    def __enter__(self):
        return self

    def __exit__(self, kind, reason, _):
        if reason is not None and self.server:
            self.outcome.log = self.server.last_words()
        try:
            for system in self.ground.systems:
                system.thaw()
            if self.server:
                self.server.kill()
        finally:
            self.ground.__exit__()

    def serve(self, volumes, *, shape=None, settings=None, replicas=None):
        """Starts the server on these paths and makes the bucket."""
        self.volumes = list(volumes)
        self.replicas = replicas or min(3, len(self.volumes))
        self.server = holdall.Server(self.program, self.volumes, os.path.join(self.ground.path, "server.log"))
        # A small budget: write buffers, and the room that RocksDB keeps for its log, fit on small disks.
        self.server.settings = {"HOLDALL_MEMORY_BUDGET": "128MiB", **(settings or {})}
        self.server.start()
        self.load = Load(self.connect, self.seed, shape or Shape())
        self.timeout = self.load.shape.timeout
        status, _, body = self.connect().request("PUT", f"/{BUCKET}")
        if status != 200:
            raise AssertionError(f"CreateBucket: {status} {body[:300]!r}")

    def connect(self):
        """A client of the server as it now runs."""
        timeout = self.load.shape.timeout if self.load else self.timeout
        return Client(self.server.port, holdall.ACCESS_KEY, holdall.SECRET_KEY, timeout=timeout)

    def admin(self, method, path, document=None, patience=60):
        """One request to the admin API, signed by root; gives the document."""
        client = Client(self.server.admin_port, holdall.ACCESS_KEY, holdall.SECRET_KEY, timeout=patience)
        body = json.dumps(document).encode() if document is not None else b""
        headers = {"content-type": "application/json"} if body else {}
        status, _, reply = client.request(method, f"/admin/v1/{path}", body=body, headers=headers)
        client.connection.close()
        if status >= 300:
            raise AssertionError(f"{method} /admin/v1/{path}: {status} {reply[:300]!r}")
        return json.loads(reply) if reply else None

    def volume(self, path):
        """What the server says of the volume at a path."""
        for volume in self.admin("GET", "volumes")["volumes"]:
            if os.path.realpath(volume["path"]) == os.path.realpath(path):
                return volume
        raise AssertionError(f"no volume at {path} in the list of the server")

    def volume_id(self, path):
        """The id in a volume's identity file."""
        with open(os.path.join(path, "holdall-volume.json"), encoding="utf-8") as file:
            return json.load(file)["volume_id"]

    def command(self, *words, patience=120):
        """Runs `holdall WORDS` with root's credentials against the admin listener; gives what it printed."""
        settings = {**holdall.environment(), "HOLDALL_ADMIN_ADDRESS": f"127.0.0.1:{self.server.admin_port}"}
        done = subprocess.run([self.program, *words], env=settings, capture_output=True, check=False, timeout=patience)
        if done.returncode != 0:
            raise AssertionError(f"holdall {' '.join(words)}: {done.stderr.decode()[-500:]}")
        return done.stdout.decode()

    def metric(self, name):
        """The sum of a metric over its labels."""
        client = Client(self.server.admin_port, holdall.ACCESS_KEY, holdall.SECRET_KEY)
        _, _, body = client.request("GET", "/metrics")
        client.connection.close()
        total = 0.0
        for line in body.decode().splitlines():
            word, _, value = line.rpartition(" ")
            if word == name or word.startswith(name + "{"):
                total += float(value)
        return total

    def roles(self):
        """path -> role of the metadata replica on that volume."""
        found = {os.path.realpath(volume["path"]): volume["metadata"]["role"]
                 for volume in self.admin("GET", "volumes")["volumes"] if volume.get("metadata")}
        return {path: found.get(os.path.realpath(path), "none") for path in self.volumes}

    def until_replicated(self, patience=60):
        """Waits until metadata has a leader and as many followers as it should; gives the seconds."""
        begun, wanted = time.monotonic(), ["follower"] * (min(3, len(self.volumes)) - 1) + ["leader"]
        try:
            self.until("sound metadata replicas", patience,
                       lambda: sorted(role for role in self.roles().values() if role != "none") == wanted)
        except AssertionError as reason:
            raise AssertionError(f"{reason}: {list(self.roles().values())}") from reason
        return time.monotonic() - begun

    def until_usable(self, path, patience=60):
        """Waits until the server asks a volume again (suspect: it works, and no request has said so yet)."""
        self.until("the volume to be asked again", patience,
                   lambda: self.volume(path)["health"] in ("healthy", "suspect"), every=0.3)

    def run_job(self, name, patience=300):
        """Runs a whole pass of a job that began after now; gives its last status."""
        before = self.admin("GET", f"jobs/{name}")["last_finished"]
        self.admin("POST", f"jobs/{name}/start")
        return self.until(f"a pass of {name}", patience, lambda: self._finished(name, before))

    def _finished(self, name, before):
        job = self.admin("GET", f"jobs/{name}")
        return job if job["last_finished"] != before and job["state"] != "running" else None

    def until(self, what, patience, probe, every=0.1):
        """Waits until `probe` gives something; gives that."""
        end = time.monotonic() + patience
        while True:
            with contextlib.suppress(Interrupted):
                found = probe()
                if found:
                    return found
            if time.monotonic() > end:
                raise AssertionError(f"waited {patience:.0f} s for {what}")
            if not self.server.running():
                raise AssertionError(f"the server has gone while waiting for {what}: {self.server.last_words()}")
            time.sleep(every)

    def objects(self):
        """(key, size, ETag) of everything there is."""
        return self.connect().list(BUCKET)

    def census(self, volumes=None):
        """Reads every byte of every volume."""
        return census.take(volumes or self.volumes, self.objects())

    def before(self):
        """Takes the census before the fault; it must be full."""
        taken = self.census()
        self.outcome.census_before = taken.short()
        if not taken.full(self.replicas):
            self.outcome.fail(f"census before the fault: {taken.short()}")
        return taken

    def until_repaired(self, patience=120, volumes=None):
        """Waits until every live blob has its copies again, by the census and by the server; gives the seconds."""
        begun, objects = time.monotonic(), self.objects()
        places = volumes or self.volumes

        def whole():
            return census.shortage(places, objects, self.replicas) == 0
        try:
            self.until("full redundancy on the volumes", patience, whole, every=0.2)
            self.until("an empty repair queue", 30, lambda: self.admin("GET", "redundancy")["queued"] == 0)
            self.until_replicated(60)
        except AssertionError as reason:
            taken = census.take(places, objects)
            damaged = [f"{part.path}: {part.fault}" for part in taken.damaged][:5]
            self.outcome.fail(f"{reason}; {taken.short()}; {damaged}")
        self.outcome.repaired_seconds = time.monotonic() - begun
        return self.outcome.repaired_seconds

    def conclude(self, volumes=None, full=True):
        """Stops the load, reads everything, stops the server, checks offline, takes the census."""
        places = volumes or self.volumes
        outcome = self.outcome
        self.load.end()
        if not self.server.running():
            outcome.fail(f"the server has gone: {self.server.last_words()}")
            self.server.start()
        objects = self.load.inspect()
        outcome.take(self.load)
        if self.server.stop() != 0:
            outcome.fail("SIGTERM did not end the server cleanly")
        outcome.check = self.check(places)
        if outcome.check.get("bad"):
            outcome.fail(f"check --deep: {outcome.check['bad']}")
        taken = census.take(places, objects)
        outcome.census_after = taken.short()
        if full and not taken.full(self.replicas):
            outcome.fail(f"census after: {taken.short()}; {[part.fault for part in taken.damaged][:5]}")

    def check(self, volumes):
        """`holdall check --deep` on stopped volumes."""
        done = subprocess.run(
            [self.program, "check", "--deep", "--json", *volumes, "--replicas", str(self.replicas)],
            env={**holdall.environment(), **self.server.settings}, capture_output=True, check=False, timeout=600)
        if done.returncode not in (0, 1):
            return {"bad": f"exit code {done.returncode}: {done.stderr.decode()[-400:]}"}
        report = json.loads(done.stdout)
        bad = [f"{finding['count']} × {finding['what']} {finding['examples'][:2]}" for finding in report["findings"]
               if finding["severity"] in ("loss", "degraded")]
        return {"bad": "; ".join(bad), "counts": report["counts"]}

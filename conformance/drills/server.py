"""The server under test as a process that a drill starts, kills and starts again."""

import contextlib
import http.client
import os
import pathlib
import signal
import socket
import subprocess
import time

ACCESS_KEY = "drill"
SECRET_KEY = "drill-secret-key"


def binary():
    """$HOLDALL_BIN, or the newest build of this checkout."""
    if os.environ.get("HOLDALL_BIN"):
        return os.environ["HOLDALL_BIN"]
    root = pathlib.Path(__file__).resolve().parents[2]
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", root / "target"))
    built = [target / profile / "holdall" for profile in ("release", "quick", "debug")]
    built = [path for path in built if path.exists()]
    if not built:
        raise SystemExit(f"no server in {target}: build one, or set HOLDALL_BIN")
    return str(max(built, key=lambda path: path.stat().st_mtime))


def free_port():
    """A loopback port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment():
    """The drill's own keys, and no other setting of the server that may be lying about."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("HOLDALL_")}
    return {**others, "HOLDALL_ACCESS_KEY": ACCESS_KEY, "HOLDALL_SECRET_KEY": SECRET_KEY}


class Server:
    """`holdall serve` on the given volumes."""

    def __init__(self, program, volumes, log):
        self.program = program
        self.volumes = volumes
        self.log = log
        self.port = free_port()
        self.admin_port = free_port()
        self.process = None
        self.options = []  # more words of the command line
        self.settings = {}  # more variables
        self.wrapper = []  # a command that runs it, such as strace
        self.before = None  # called in the child before the server is there

    def start(self, patience=30.0):
        """Starts it and waits until it says that it is ready; gives the seconds that took."""
        started = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, self.program, "serve", *self.volumes, "--address", f"127.0.0.1:{self.port}",
                 "--admin-address", f"127.0.0.1:{self.admin_port}", *self.options],
                env={**environment(), **self.settings},
                stdout=log, stderr=log, start_new_session=True, preexec_fn=self.before,
            )
        while not self._ready():
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.last_words()[-900:]}")
            if time.monotonic() - started > patience:
                raise AssertionError(f"the server is not ready after {patience} s:\n{self.last_words()}")
            time.sleep(0.005)
        return time.monotonic() - started

    def kill(self):
        """kill -9; back when the process is gone."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)  # with what runs it, such as strace
        if self.process:
            self.process.wait()
        if self.wrapper:
            self._until_free()

    def _until_free(self):
        """What ran the server is gone; the server itself may be closing its files still."""
        end = time.monotonic() + 10
        for port in (self.port, self.admin_port):
            while time.monotonic() < end:
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    with contextlib.suppress(OSError):
                        probe.bind(("127.0.0.1", port))
                        probe.listen()
                        break
                time.sleep(0.01)

    def stop(self, patience=60.0):
        """SIGTERM; back when the process has ended. Gives its exit code, None when it had to be killed."""
        if not self.process:
            return 0
        self.process.terminate()
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def running(self):
        """Is the process alive?"""
        return self.process is not None and self.process.poll() is None

    def last_words(self):
        """The end of its log."""
        return pathlib.Path(self.log).read_text(errors="replace")[-3000:]

    def _ready(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=1)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

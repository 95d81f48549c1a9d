"""What the Python suites share: where the server is, the list of checks, and awkward data.

A suite is a file of small functions marked `@check("what must hold")`. `main()` runs them in the
order in which they stand and prints one line for each, which is all that run.sh reads:

    ok      boto3: put and get
    FAILED  boto3: ranges
            | what went wrong, indented

Only the standard library is used here; a suite brings its own client.
"""

import contextlib
import hashlib
import io
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import uuid
from urllib import error as urllib_error
from urllib import request as urllib_request
from urllib.parse import urlsplit

MIB = 1024 * 1024

# Keys that clients and servers have got wrong: separators, escapes, Unicode in two normal forms,
# XML and URL syntax, and the longest key there is.
ODD_KEYS = [
    "plain",
    "with space",
    " leading and trailing ",
    "two  spaces",
    "plus+plus",
    "per%cent",
    "per%20cent",
    "per%2Fcent",
    "double//slash",
    "/leading-slash",
    "folder/",
    "folder/inside",
    "folder/inside/deep",
    "ключ/日本語/é",
    "e\u0301 decomposed",
    "emoji-😀",
    "quotes'\"`",
    "amp&<tag>;",
    "question?a=b#fragment",
    "list,of:things;@$=!*()~",
    "back\\slash",
    "brackets[]{}|^",
    "k" * 1024,
]

_checks = []


class Skipped(Exception):
    """Raised by a check that can't be made here; the reason is shown."""


def check(title):
    """Registers a function as a check."""

    def register(function):
        _checks.append((title, function))
        return function

    return register


class Target:
    """The server under test and a bucket name of this run's own."""

    def __init__(self, suite):
        self.endpoint = os.environ["HOLDALL_ENDPOINT"].rstrip("/")
        self.access_key = os.environ["AWS_ACCESS_KEY_ID"]
        self.secret_key = os.environ["AWS_SECRET_ACCESS_KEY"]
        self.region = os.environ.get("AWS_REGION", "us-east-1")
        self.domain = os.environ.get("HOLDALL_DOMAIN")
        self.address = urlsplit(self.endpoint).netloc
        self.secure = self.endpoint.startswith("https:")
        self.bucket = f"{suite}-{uuid.uuid4().hex[:10]}"


def equal(got, expected, what="value"):
    """Fails with both values shown."""
    if got != expected:
        raise AssertionError(f"{what}: expected {_short(expected)}, got {_short(got)}")


def true(condition, what):
    """Fails with a description."""
    if not condition:
        raise AssertionError(what)


def random_bytes(size, seed=0):
    """Bytes that no server can compress or fold together, the same for the same seed."""
    return random.Random(f"{size}/{seed}").randbytes(size)


def md5(data):
    """The hex MD5: what an ETag of a single-part object is."""
    return hashlib.md5(data).hexdigest()


def http(method, url, body=None, headers=None):
    """One plain HTTP request, as curl would send it: (status, headers, body). Never raises for a status."""
    request = urllib_request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib_request.urlopen(request, timeout=60) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib_error.HTTPError as reply:
        return reply.code, reply.headers, reply.read()


class Command:
    """A command-line client with a home directory of its own, so that nobody's configuration leaks in."""

    def __init__(self, program, environment=None, options=()):
        self.program = shutil.which(program) or program
        self.options = list(options)
        self.home = tempfile.mkdtemp(prefix="conformance-")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("XDG_")},
            "HOME": self.home,
            "LC_ALL": "C.UTF-8",
            **(environment or {}),
        }

    def run(self, *arguments, data=None):
        """Runs the client and gives the completed process, whatever its exit code."""
        return subprocess.run(
            [self.program, *self.options, *arguments],
            input=data,
            capture_output=True,
            env=self.environment,
            timeout=300,
            check=False,
        )

    def __call__(self, *arguments, data=None):
        """Runs the client, fails unless it exits with 0, and gives its standard output as text."""
        return self.bytes(*arguments, data=data).decode()

    def bytes(self, *arguments, data=None):
        """The same, but the output as it came."""
        done = self.run(*arguments, data=data)
        if done.returncode != 0:
            raise AssertionError(f"{_line(arguments)}\nexit code {done.returncode}\n{_outputs(done)}")
        return done.stdout

    def fails(self, *arguments, data=None, saying=""):
        """Runs the client, which must fail and mention `saying` (an S3 error code, most often)."""
        done = self.run(*arguments, data=data)
        if done.returncode == 0:
            raise AssertionError(f"{_line(arguments)}\nmust fail, but exited with 0\n{_outputs(done)}")
        if saying not in _outputs(done):
            raise AssertionError(f"{_line(arguments)}\nmust mention {saying!r}\n{_outputs(done)}")

    def file(self, name, data):
        """A file below the client's home directory; gives its path."""
        path = os.path.join(self.home, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(data)
        return path

    def path(self, name):
        """A path below the client's home directory."""
        return os.path.join(self.home, name)

    def read(self, name):
        """The content of a file below the client's home directory."""
        with open(self.path(name), "rb") as data:
            return data.read()


def main(suite, environment):
    """Runs every registered check with `environment` (whatever the suite passes around) and exits."""
    failed = 0
    for title, function in _checks:
        started = time.monotonic()
        captured = io.StringIO()
        try:
            with contextlib.redirect_stdout(captured):
                function(environment)
            word, detail = "ok", ""
        except Skipped as reason:
            word, detail = "skipped", str(reason)
        except Exception:  # whatever went wrong is the result of the check
            word, detail = "FAILED", captured.getvalue() + _trace()
            failed += 1
        print(f"{word:<8}{suite}: {title} ({time.monotonic() - started:.1f} s)", flush=True)
        for line in detail.splitlines():
            print(f"        | {line}", flush=True)
    if isinstance(environment, Command):
        shutil.rmtree(environment.home, ignore_errors=True)
    sys.exit(1 if failed else 0)


def _trace():
    kind, value, trace = sys.exc_info()
    frames = [frame for frame in traceback.extract_tb(trace) if "/conformance/" in frame.filename]
    where = "".join(f"{os.path.basename(frame.filename)}:{frame.lineno}: {frame.line}\n" for frame in frames[-4:])
    return f"{where}{kind.__name__}: {value}"


def _short(value):
    text = repr(value)
    return text if len(text) <= 1500 else f"{text[:1500]}… ({len(text)} characters)"


def _line(arguments):
    return "$ " + " ".join(argument if len(argument) < 200 else argument[:200] + "…" for argument in arguments)


def _outputs(done):
    text = done.stderr.decode(errors="replace") + done.stdout[:4000].decode(errors="replace")
    return text[-4000:]

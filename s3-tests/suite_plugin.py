"""Runs the ceph/s3-tests suite unchanged, with three things done to it from outside.

- Every test gets bucket names of its own. The suite draws one prefix per process, so that one bucket which cannot
  be emptied would fail the set-up of every later test.
- Buckets are emptied and removed after a test by what the server offers: with versions, or without. A clean-up that
  fails is counted, and is not the test's failure.
- What happened is written to a file (HOLDALL_RESULTS) that compare.py and classify.py read: the outcome, why it
  failed, and which answers said 501 NotImplemented or did not know the user.

Loaded with `-p suite_plugin`; the suite's configuration file is in S3TEST_CONF.
"""

import json
import os
import re
import urllib.parse

import botocore.httpsession
import pytest
import requests

SUITE = "s3tests.functional"
# The last line of a failure tells enough: the exception with its message.
REASON_CHARS = 400


def _short(nodeid):
    return nodeid.removeprefix("s3tests/functional/")


class Results:
    """Collects what the workers report; lives in the process that the user started."""

    def __init__(self):
        self.cases = {}
        self.unclean = 0

    def pytest_runtest_logreport(self, report):
        name = _short(report.nodeid)
        if report.when == "teardown":
            self.unclean += bool(dict(report.user_properties).get("unclean"))
            return
        if report.when == "call" or report.outcome != "passed":
            case = {"outcome": report.outcome, "seconds": round(report.duration, 2)}
            if report.outcome != "passed":
                case["reason"] = _reason(report)
            missing = [value for key, value in report.user_properties if key == "missing"]
            if missing:
                case["missing"] = sorted(set(missing))
            self.cases[name] = case

    def pytest_sessionfinish(self):
        path = os.environ["HOLDALL_RESULTS"]
        earlier = {"cases": {}, "unclean": 0}
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                earlier = json.load(file)
        earlier["cases"].update(self.cases)
        earlier["unclean"] += self.unclean
        with open(path, "w", encoding="utf-8") as file:
            json.dump(earlier, file, indent=0, sort_keys=True)


def _reason(report):
    if isinstance(report.longrepr, tuple):  # skipped: file, line, reason
        return str(report.longrepr[2])[:REASON_CHARS]
    text = str(report.longrepr)
    # "An error occurred (X) when calling the Y operation" says more than an assertion further down.
    called = re.findall(r"An error occurred \(.*", text)
    lines = [line for line in text.splitlines() if re.match(r"(E\s+)?[A-Za-z_.]*(Error|Exception|Failed|Timeout|assert)", line)]
    return (called[-1] if called else lines[-1] if lines else text[-REASON_CHARS:])[:REASON_CHARS]


def _missing(method, url, status, body):
    """What a refusal says is not there: `PUT ?acl`, `PUT x-amz-acl` or `identity`; None for other answers."""
    if status == 403 and b"InvalidAccessKeyId" in body:
        return "identity"
    if status != 501:
        return None
    named = re.search(rb"<(?:Header|Parameter|ArgumentName)>([^<]*)<|(x-amz-[a-z-]+)", body)
    if named:
        word = (named.group(1) or named.group(2)).decode("ascii", "replace")
        return f"{method} {word}"
    query = urllib.parse.urlsplit(url).query
    words = sorted(urllib.parse.parse_qs(query, keep_blank_values=True).keys())
    word = next((f"?{word}" for word in words if not word.startswith("X-Amz-")), "")
    return f"{method} {word}".strip()


def _listen(request):
    """Notes the refusals of both ways in which the suite speaks to the server."""

    def note(method, url, status, body):
        missing = _missing(method, url, status, body)
        if missing:
            request.node.user_properties.append(("missing", missing))

    botocore_send, requests_send = botocore.httpsession.URLLib3Session.send, requests.Session.send

    def send(self, prepared):
        response = botocore_send(self, prepared)
        if response.status_code in (403, 501):
            note(prepared.method, prepared.url, response.status_code, response.content)
        return response

    def send_plain(self, prepared, **options):
        response = requests_send(self, prepared, **options)
        if response.status_code in (403, 501):
            note(prepared.method, prepared.url, response.status_code, response.content)
        return response

    botocore.httpsession.URLLib3Session.send, requests.Session.send = send, send_plain

    def stop():
        botocore.httpsession.URLLib3Session.send, requests.Session.send = botocore_send, requests_send

    return stop


def pytest_configure(config):
    if not hasattr(config, "workerinput") and os.environ.get("HOLDALL_RESULTS"):
        config.pluginmanager.register(Results())


def pytest_collection_modifyitems(config, items):
    """Keeps the cases named in HOLDALL_CASES (a file, one a line), and dumps markers where HOLDALL_COLLECTED says."""
    collected = os.environ.get("HOLDALL_COLLECTED")
    if collected:
        with open(collected, "w", encoding="utf-8") as file:
            for item in items:
                markers = sorted({mark.name for mark in item.iter_markers()} - {"parametrize", "skipif", "usefixtures"})
                file.write(f"{_short(item.nodeid)}\t{','.join(markers)}\n")
    wanted = os.environ.get("HOLDALL_CASES")
    if wanted:
        with open(wanted, encoding="utf-8") as file:
            names = {line.rstrip("\n") for line in file}
        config.hook.pytest_deselected(items=[item for item in items if _short(item.nodeid) not in names])
        items[:] = [item for item in items if _short(item.nodeid) in names]


@pytest.fixture(autouse=True)
def _own_buckets(request):
    """Replaces the suite's set-up and tear-down, which would want every user to exist and every test to clean up."""
    import importlib

    suite = importlib.import_module(SUITE)
    template = "hs-{random}-"
    unclean = []

    def set_up():
        suite.prefix = suite.choose_bucket_prefix(template=template)

    def tear_down():
        for client in _clients(suite):
            unclean.extend(_remove_buckets(suite, client))
        if unclean:
            request.node.user_properties.append(("unclean", True))

    suite.setup, suite.teardown = set_up, tear_down
    stop = _listen(request)
    yield
    stop()


def _clients(suite):
    """The main user, and those of the others that the server knows."""
    clients = [suite.get_client()]
    if os.environ.get("HOLDALL_USERS") == "all":
        clients += [suite.get_alt_client(), suite.get_tenant_client()]
    return clients


def _remove_buckets(suite, client):
    try:
        buckets = suite.get_buckets_list(client, suite.prefix)
    except Exception as error:  # noqa: BLE001 - anything here is one clean-up that failed
        return [str(error)]
    failures = []
    for bucket in buckets:
        try:
            _empty(suite, client, bucket)
        except Exception as error:  # noqa: BLE001
            failures.append(f"{bucket}: {error}")
    return failures


def _empty(suite, client, bucket):
    try:
        suite.nuke_bucket(client, bucket)
        return
    except Exception:  # noqa: BLE001 - no versions here, or locked: try what every server has
        pass
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
        if keys:
            client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    client.delete_bucket(Bucket=bucket)

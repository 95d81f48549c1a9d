"""A small S3 client for the drills: signature version 4 over one kept connection, standard library only."""

import datetime
import hashlib
import hmac
import http.client
import re
from urllib.parse import quote
from xml.etree import ElementTree


class Interrupted(Exception):
    """The connection broke before an answer came: the request may or may not have been carried out."""


class Client:
    """One connection. Not for two threads at once."""

    def __init__(self, port, access_key, secret_key, region="us-east-1", timeout=30):
        self.host = f"127.0.0.1:{port}"
        self.access_key = access_key
        self.secret_key = secret_key
        self.region = region
        self.skew = lambda: 0  # seconds by which its clock is wrong
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def request(self, method, path, query=None, body=b"", headers=None):
        """Sends one signed request; gives (status, headers, body)."""
        query = "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}"
                         for name, value in sorted((query or {}).items()))
        path = quote(path, safe="/~")
        headers = self._signed(method, path, query, body, headers or {})
        try:
            self.connection.request(method, path + (f"?{query}" if query else ""), body, headers)
            reply = self.connection.getresponse()
            return reply.status, reply.headers, reply.read()
        except (OSError, http.client.HTTPException) as reason:
            self.connection.close()
            raise Interrupted(repr(reason)) from reason

    def list(self, bucket, **query):
        """Every (key, size, ETag) of the bucket."""
        found, token = [], None
        while True:
            more = {"continuation-token": token} if token else {}
            status, _, body = self.request("GET", f"/{bucket}", {"list-type": "2", **query, **more})
            if status != 200:
                raise AssertionError(f"list: {status} {body.decode(errors='replace')}")
            tree = without_namespace(body)
            for item in tree.iter("Contents"):
                found.append((item.findtext("Key"), int(item.findtext("Size")), item.findtext("ETag")))
            if tree.findtext("IsTruncated") != "true":
                return found
            token = tree.findtext("NextContinuationToken")

    def signed(self, method, path, body):
        """The headers of a request that somebody else sends."""
        return self._signed(method, path, "", body, {})

    def _signed(self, method, path, query, body, headers):
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.skew())
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        digest = hashlib.sha256(body).hexdigest()
        headers = {**headers, "host": self.host, "x-amz-date": stamp, "x-amz-content-sha256": digest}
        names = sorted(name.lower() for name in headers)
        lower = {name.lower(): value for name, value in headers.items()}
        canonical = "\n".join([method, path, query, *(f"{name}:{lower[name].strip()}" for name in names), "",
                               ";".join(names), digest])
        scope = f"{day}/{self.region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = ("AWS4" + self.secret_key).encode()
        for piece in (day, self.region, "s3", "aws4_request"):
            key = hmac.digest(key, piece.encode(), "sha256")
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, SignedHeaders={';'.join(names)}, "
            f"Signature={hmac.digest(key, text.encode(), 'sha256').hex()}")
        return headers


def without_namespace(document):
    """The document's tree, its element names bare."""
    return ElementTree.fromstring(re.sub(rb' xmlns="[^"]*"', b"", document, count=1))

"""Part files, read by someone who shares no code with the server: docs/format.md, once more."""

import dataclasses
import hashlib
import os
import pathlib
import struct
import zlib

FOOTER = struct.Struct("<8sHBBI16sQII16sQII")
BLOCK_BYTES = 64 * 1024


@dataclasses.dataclass(frozen=True)
class Part:
    """One copy of a blob, as it lies on a volume."""

    blob: str
    path: str
    size: int
    fault: str | None  # why it is no good copy
    digest: str = ""  # SHA-256 over the whole file
    md5: str = ""  # of the payload, in hexadecimal
    bucket: str = ""
    key: str = ""
    upload: str = ""  # of which multipart upload it is a part
    number: int = 0


def read_part(path):
    """Reads and verifies one copy, every byte."""
    blob = os.path.basename(path)
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as reason:
        return Part(blob, path, 0, f"unreadable: {reason.strerror}")
    fault, footer = _footer(blob, data)
    digest = hashlib.sha256(data).hexdigest()
    if fault:
        return Part(blob, path, len(data), fault, digest)
    length, owner_length, table_crc, md5 = footer
    table_length = (length + BLOCK_BYTES - 1) // BLOCK_BYTES * 4
    view = memoryview(data)
    table = view[length:length + table_length]
    owner = bytes(view[length + table_length:length + table_length + owner_length])
    if zlib.crc32(owner, zlib.crc32(table)) != table_crc:
        return Part(blob, path, len(data), "block table or owner damaged", digest)
    if hashlib.md5(view[:length]).digest() != md5:
        return Part(blob, path, len(data), "payload damaged", digest)
    for number, (expected,) in enumerate(struct.iter_unpack("<I", table)):
        block = view[number * BLOCK_BYTES:min((number + 1) * BLOCK_BYTES, length)]
        if zlib.crc32(block) != expected:
            return Part(blob, path, len(data), "block table does not fit the payload", digest)
    bucket, key, upload, part = read_owner(owner)
    return Part(blob, path, len(data), None, digest, md5.hex(), bucket, key, upload, part)


def _footer(blob, data):
    if len(data) < FOOTER.size:
        return "too short", None
    (magic, layout, scheme, _, block_bytes, identity, length, owner_length, table_crc, md5, _, _,
     crc) = FOOTER.unpack(data[-FOOTER.size:])
    if magic != b"HOLDPART" or crc != zlib.crc32(data[-FOOTER.size:-4]):
        return "footer damaged", None
    if layout != 1 or scheme != 0 or block_bytes != BLOCK_BYTES:
        return f"unknown format {layout}, scheme {scheme}", None
    if identity.hex() != blob:
        return f"misplaced: is {identity.hex()}", None
    table_length = (length + BLOCK_BYTES - 1) // BLOCK_BYTES * 4
    if len(data) != length + table_length + owner_length + FOOTER.size:
        return "wrong length", None
    return None, (length, owner_length, table_crc, md5)


def read_owner(data):
    """(bucket, key, upload, part number) of an owner section: a format byte and a postcard record."""
    at = 1

    def integer():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def text():
        nonlocal at
        length = integer()
        at += length
        return data[at - length:at].decode(errors="replace")

    integer()  # the bucket's id
    bucket, key = text(), text()
    if data[at] == 0:
        return bucket, key, "", 0
    upload = data[at + 1:at + 17].hex()
    at += 17
    return bucket, key, upload, integer()


def part_paths(volume):
    """Every file in the volume's blobs/, in order; nothing when the volume is not there."""
    root = pathlib.Path(volume) / "blobs"
    found = []
    for directory in sorted(root.glob("[0-9a-f][0-9a-f]")):
        try:
            found += sorted(entry.path for entry in os.scandir(directory))
        except OSError:
            continue
    return found

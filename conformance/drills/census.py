"""The byte census: every copy on every volume is read, and every live object's bytes must be there R times.

It asks the volumes, not the server. A GET proves that one good copy exists; only a census proves that all do.
"""

import collections
import dataclasses
import hashlib

from parts import part_paths
from parts import read_part


@dataclasses.dataclass
class Census:
    """What lies on the volumes."""

    files: dict  # volume -> number of part files
    octets: dict  # volume -> their bytes
    copies: collections.Counter  # good copies -> live blobs that have so many
    damaged: list  # copies of live blobs that are not whole
    differing: list  # blobs whose copies are whole and unlike each other
    orphans: int  # blobs that no live object needs: deleted ones and what a crash left
    absent: list  # live objects whose bytes are nowhere

    def full(self, replicas):
        """Does every live blob have exactly its copies, all good and alike?"""
        return not (self.damaged or self.differing or self.absent) and set(self.copies) <= {replicas}

    def short(self):
        """One line."""
        by_copies = ", ".join(f"{number} × {copies} copies" for copies, number in sorted(self.copies.items()))
        bad = [f"{len(what)} {name}" for name, what in
               [("damaged", self.damaged), ("differing", self.differing), ("absent", self.absent)] if what]
        files = "/".join(str(number) for number in self.files.values())
        return f"{by_copies or 'no blobs'}; files {files}{'; ' + ', '.join(bad) if bad else ''}"


def take(volumes, objects, inline_limit=32 * 1024):
    """The census of volumes, against the (key, size, ETag) of all live objects of all buckets.

    Contents must be unlike each other (those of the drills are): an object is matched with its bytes by MD5.
    """
    by_blob = collections.defaultdict(list)
    files, octets = {}, {}
    for volume in volumes:
        parts = [read_part(path) for path in part_paths(volume)]
        files[volume], octets[volume] = len(parts), sum(part.size for part in parts)
        for part in parts:
            by_blob[part.blob].append(part)
    needed, absent = _needed(by_blob, objects, inline_limit)
    # A torn file of a blob that nobody names is what a crash leaves; one of a blob with no good copy shows as absent.
    damaged = [part for blob in needed for part in by_blob[blob] if part.fault]
    differing = [blob for blob, parts in by_blob.items()
                 if len({part.digest for part in parts if not part.fault}) > 1]
    copies = collections.Counter(sum(not part.fault for part in by_blob[blob]) for blob in needed)
    return Census(files, octets, copies, damaged, differing, len(by_blob) - len(needed), absent)


def _needed(by_blob, objects, inline_limit):
    """The blobs of the live objects, and the objects that have none."""
    pieces, uploads = {}, collections.defaultdict(dict)
    for blob, parts in by_blob.items():
        good = next((part for part in parts if not part.fault), None)
        if good and good.upload:
            # A part may have been sent twice; the one whose MD5 the ETag fits is found by trying both.
            uploads[good.upload].setdefault(good.number, []).append((good.md5, blob))
        elif good:
            pieces.setdefault(good.md5, []).append(blob)
    wholes = {}
    for numbers in uploads.values():
        chosen = [numbers[number][-1] for number in sorted(numbers)]
        digest = hashlib.md5(b"".join(bytes.fromhex(md5) for md5, _ in chosen)).hexdigest()
        wholes[f"{digest}-{len(chosen)}"] = [blob for _, blob in chosen]
    needed, absent = set(), []
    for key, size, etag in objects:
        etag = etag.strip('"')
        blobs = wholes.get(etag) if "-" in etag else pieces.get(etag)
        if blobs:
            needed.update(blobs)
        elif size > inline_limit:
            absent.append(key)
    return needed, absent


def shortage(volumes, objects, replicas):
    """Live blobs that have fewer or more files than copies they should have. Reads only those in question."""
    places = collections.defaultdict(list)
    for volume in volumes:
        for path in part_paths(volume):
            places[path.rsplit("/", 1)[-1]].append(path)
    wanted = {etag.strip('"') for _, _, etag in objects}
    whole = {etag for etag in wanted if "-" not in etag}
    short = 0
    for paths in places.values():
        if len(paths) == replicas:
            continue
        part = read_part(paths[0])
        short += part.fault is not None or bool(part.upload) or part.md5 in whole
    return short

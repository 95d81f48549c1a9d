"""The census must see every kind of loss; part files are those of the fixture of format 1."""

import os
import pathlib
import shutil
import tempfile
import unittest

import census
from parts import part_paths
from parts import read_part

FIXTURE = pathlib.Path(__file__).resolve().parents[2] / "tests/fixtures/format-v1/disk0"


class Parts(unittest.TestCase):
    """A part file is whole, or the fault has a name."""

    def setUp(self):
        self.work = tempfile.TemporaryDirectory()
        self.addCleanup(self.work.cleanup)

    def test_whole(self):
        parts = [read_part(path) for path in part_paths(FIXTURE)]
        self.assertGreater(len(parts), 5)
        self.assertEqual({part.fault for part in parts}, {None})
        self.assertTrue(all(part.bucket and part.key for part in parts))

    def test_every_bit_counts(self):
        source = part_paths(FIXTURE)[0]
        target = os.path.join(self.work.name, os.path.basename(source))
        data = pathlib.Path(source).read_bytes()
        for at in range(0, len(data), max(1, len(data) // 97)):
            pathlib.Path(target).write_bytes(data[:at] + bytes([data[at] ^ 16]) + data[at + 1:])
            self.assertIsNotNone(read_part(target).fault, f"byte {at} of {len(data)}")

    def test_cut_longer_empty_or_misplaced(self):
        source = part_paths(FIXTURE)[0]
        data = pathlib.Path(source).read_bytes()
        target = pathlib.Path(self.work.name) / os.path.basename(source)
        for damaged in (b"", data[:-1], data[:40], data + b"\0"):
            target.write_bytes(damaged)
            self.assertIsNotNone(read_part(target).fault)
        other = pathlib.Path(self.work.name) / ("0" * 32)
        other.write_bytes(data)
        self.assertIn("misplaced", read_part(other).fault)


class Counting(unittest.TestCase):
    """Three copies of the fixture's parts, and every way to have fewer."""

    def setUp(self):
        self.work = tempfile.TemporaryDirectory()
        self.addCleanup(self.work.cleanup)
        self.volumes = [os.path.join(self.work.name, str(number)) for number in range(3)]
        for volume in self.volumes:
            shutil.copytree(FIXTURE / "blobs", os.path.join(volume, "blobs"))
        parts = [read_part(path) for path in part_paths(FIXTURE)]
        self.objects = [(part.key, part.size, f'"{part.md5}"') for part in parts if not part.upload]

    def take(self):
        return census.take(self.volumes, self.objects, inline_limit=0)

    def victim(self, volume):
        blob = min(path for path in part_paths(self.volumes[volume]) if not read_part(path).upload)
        return pathlib.Path(blob)

    def test_full(self):
        taken = self.take()
        self.assertTrue(taken.full(3), taken.short())
        self.assertEqual(census.shortage(self.volumes, self.objects, 3), 0)

    def test_missing(self):
        self.victim(1).unlink()
        self.assertEqual(self.take().copies[2], 1)
        self.assertFalse(self.take().full(3))
        self.assertEqual(census.shortage(self.volumes, self.objects, 3), 1)

    def test_damaged(self):
        victim = self.victim(2)
        data = victim.read_bytes()
        victim.write_bytes(bytes([data[0] ^ 1]) + data[1:])
        self.assertEqual(len(self.take().damaged), 1)
        self.assertFalse(self.take().full(3))

    def test_nowhere(self):
        for volume in range(3):
            self.victim(volume).unlink()
        self.assertEqual(len(self.take().absent), 1)
        self.assertFalse(self.take().full(3))

    def test_what_no_object_needs_is_no_fault(self):
        self.objects.pop()
        self.victim(0)
        self.assertTrue(self.take().full(3))
        self.assertGreaterEqual(self.take().orphans, 1)


if __name__ == "__main__":
    unittest.main()

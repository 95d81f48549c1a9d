"""The judge must find each kind of damage: python3 -m unittest discover -s conformance/drills -p '*_test.py'"""

import time
import unittest

from ledger import ABSENT
from ledger import HEADER_BYTES
from ledger import Ledger
from ledger import make_content
from ledger import read_content


class Judge(unittest.TestCase):
    """One key, a few operations, and every state that could be read."""

    def setUp(self):
        self.ledger = Ledger()

    def write(self, content, *, answered=True, refused=False):
        operation = self.ledger.sent("key", content)
        if answered:
            self.ledger.answered(operation, refused=refused)

    def states(self):
        return {state: self.ledger.judge("key", state) for state in ("one", "two", ABSENT)}

    def test_acknowledged_write(self):
        self.write("one")
        self.assertEqual(self.states(), {"one": None, "two": "foreign", ABSENT: "lost"})

    def test_unanswered_write_is_there_or_not(self):
        self.write("one", answered=False)
        self.assertEqual(self.states(), {"one": None, "two": "foreign", ABSENT: None})

    def test_unanswered_overwrite(self):
        self.write("one")
        self.write("two", answered=False)
        self.assertEqual(self.states(), {"one": None, "two": None, ABSENT: "lost"})

    def test_acknowledged_overwrite(self):
        self.write("one")
        self.write("two")
        self.assertEqual(self.states(), {"one": "stale", "two": None, ABSENT: "lost"})

    def test_acknowledged_delete(self):
        self.write("one")
        self.write(ABSENT)
        self.assertEqual(self.states(), {"one": "resurrected", "two": "foreign", ABSENT: None})

    def test_refused_write_must_not_show(self):
        self.write("one")
        self.write("two", refused=True)
        self.assertEqual(self.states(), {"one": None, "two": "foreign", ABSENT: "lost"})

    def test_failed_write_is_there_or_not(self):
        self.write("one")
        self.ledger.failed(self.ledger.sent("key", "two"))
        self.assertEqual(self.states(), {"one": None, "two": None, ABSENT: "lost"})

    def test_failed_write_must_not_come_later(self):
        self.ledger.failed(self.ledger.sent("key", "two"))
        self.write("one")
        self.assertEqual(self.states(), {"one": None, "two": "stale", ABSENT: "lost"})

    def test_concurrent_writes_may_come_in_either_order(self):
        one = self.ledger.sent("key", "one")
        two = self.ledger.sent("key", "two")
        self.ledger.answered(two)
        self.ledger.answered(one)
        self.assertEqual(self.states(), {"one": None, "two": None, ABSENT: "lost"})

    def test_what_is_answered_after_the_power_went_was_never_heard(self):
        self.write("one")
        begun = time.monotonic()
        self.write("two")
        self.assertEqual(self.ledger.cut(begun, time.monotonic()), [])
        self.assertEqual(self.states(), {"one": None, "two": None, ABSENT: "lost"})

    def test_a_write_after_the_power_went_must_not_be_acknowledged(self):
        begun = time.monotonic()
        self.write("one")
        self.assertEqual(self.ledger.cut(begun, begun), ["key"])

    def test_what_was_read_once_stays(self):
        self.write("one", answered=False)
        self.ledger.settle("key", ABSENT)
        self.assertEqual(self.states(), {"one": "foreign", "two": "foreign", ABSENT: None})


class Content(unittest.TestCase):
    """A body is whole, or it is not recognised."""

    def test_whole(self):
        self.assertEqual(read_content(make_content("1.2.3:own/1/2", b"payload")), "1.2.3:own/1/2")

    def test_damaged(self):
        body = make_content("id", b"payload" * 100)
        for damaged in (b"", body[:-1], body + b"x", body[:HEADER_BYTES], b"x" * len(body),
                        body[:400] + b"X" + body[401:]):
            self.assertIsNone(read_content(damaged))


if __name__ == "__main__":
    unittest.main()

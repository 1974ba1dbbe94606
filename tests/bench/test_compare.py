# SPDX-License-Identifier: MIT
"""compare.py as it is called: what it prints of two files, and its exit status."""

import json
import math
import os
import subprocess
import sys
import tempfile
import unittest

COMPARE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench", "compare.py")


def row(name, ns, spread=0.02):
    return {"name": name, "ns": ns, "low": ns * (1 - spread / 2), "high": ns * (1 + spread / 2)}


class Compare(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def compare(self, old, new):
        paths = [self.file(name, json.dumps({"rows": rows})) for name, rows in (("old", old), ("new", new))]
        return self.run_on(*paths)

    def run_on(self, *paths):
        done = subprocess.run([sys.executable, COMPARE, *paths], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def test_slower_beyond_the_noise(self):
        status, text = self.compare([row("a", 100), row("b", 100)], [row("a", 100), row("b", 120)])
        self.assertEqual(status, 1)
        self.assertIn("slower    1.20 of before", text)
        self.assertIn("2 rows compared: 1 slower, 0 quicker", text)
        self.assertNotIn("   a   ", text)

    def test_slower_within_the_least_noise(self):
        self.assertEqual(self.compare([row("a", 100)], [row("a", 104)])[0], 0)
        self.assertEqual(self.compare([row("a", 100)], [row("a", 107)])[0], 1)

    def test_slower_within_what_the_repetitions_show(self):
        self.assertEqual(self.compare([row("a", 100, 0.10)], [row("a", 120, 0.10)])[0], 0)
        self.assertEqual(self.compare([row("a", 100, 0.10)], [row("a", 130, 0.10)])[0], 1)

    def test_quicker_is_no_failure(self):
        status, text = self.compare([row("a", 100)], [row("a", 50)])
        self.assertEqual(status, 0)
        self.assertIn("quicker   0.50 of before", text)

    def test_rows_that_are_gone_or_new(self):
        status, text = self.compare([row("a", 100), row("b", 1)], [row("a", 100), row("c", 1)])
        self.assertEqual(status, 0)
        self.assertIn("gone     b\nnew      c\n1 rows compared", text)

    def test_unusable_files_are_one_line(self):
        good = self.file("good", json.dumps({"rows": [row("a", 1)]}))
        empty = self.file("empty", "{}")
        nothing = self.file("nothing", json.dumps({"rows": [row("a", 0)]}))
        infinite = self.file("infinite", json.dumps({"rows": [row("a", math.inf)]}))
        other = self.file("other", json.dumps({"rows": [row("b", 1)]}))
        for paths in (
            [good],
            [good, empty],
            [good, nothing],
            [infinite, infinite],
            [good, other],
            [good, self.file("torn", "{")],
            [good + "?", good],
        ):
            status, text = self.run_on(*paths)
            self.assertEqual(status, 2, paths)
            self.assertRegex(text, r"^compare.py: .*\n$")


unittest.main()

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


MACHINE = {"processor": "P", "model": "family 1 model 2", "processors": 2, "system": "Linux 6.1"}


def text_of(rows, machine=MACHINE, flags="-O3"):
    build = {"compiler": "g++ 12", "Eigen": "3.4.0", "flags": flags}
    return json.dumps({"machine": machine, "rows": rows} | build)


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
        return self.run_on(self.file("old", text_of(old)), self.file("new", text_of(new)))

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

    def test_files_of_two_machines_or_builds_are_named_at_the_top(self):
        old = self.file("old", text_of([row("a", 100)]))
        new = self.file("new", text_of([row("a", 100)], MACHINE | {"processor": "Q", "processors": 4}, "-O2"))
        status, text = self.run_on(old, new)
        self.assertEqual(status, 0)
        wrong = (("processor", '"Q"', '"P"'), ("processors", 4, 2), ("flags", '"-O2"', '"-O3"'))
        said = [
            f"{new} has {key} {here}; it should have {there}, as {old}: rows may differ by that alone"
            for key, here, there in wrong
        ]
        self.assertEqual(text.splitlines(), said + ["1 rows compared: 0 slower, 0 quicker"])
        self.assertEqual(self.run_on(old, old)[1], "1 rows compared: 0 slower, 0 quicker\n")

    def test_unusable_files_are_one_line(self):
        good = self.file("good", text_of([row("a", 1)]))
        unsigned = self.file("unsigned", json.dumps({"rows": [row("a", 1)]}))
        empty = self.file("empty", "{}")
        nothing = self.file("nothing", text_of([row("a", 0)]))
        infinite = self.file("infinite", text_of([row("a", math.inf)]))
        other = self.file("other", text_of([row("b", 1)]))
        for paths in (
            [good],
            [good, empty],
            [good, unsigned],
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

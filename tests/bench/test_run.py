# SPDX-License-Identifier: MIT
"""run.py on the rows of rows.cpp, and charts of made-up rows: python3 test_run.py PROGRAM."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench")
sys.path.insert(0, BENCH)
sys.dont_write_bytecode = True
import charts  # noqa: E402
import run  # noqa: E402

PROGRAM = sys.argv.pop(1)


def scaling(name, **numbers):
    return {"name": "train/scaling/" + name, "ns": 1e3, "low": 1e3, "high": 1e3, "of_peak": 0.5, **numbers}


class Run(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def run_program(self, filter, *others, **environment):
        options = [
            "--quick",
            "--no-peers",
            "--results",
            self.folder.name,
            "--machine",
            "A Machine",
            "--filter",
            filter,
        ]
        command = [sys.executable, os.path.join(BENCH, "run.py"), *options, PROGRAM, *others]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)
        return done.returncode, done.stdout + done.stderr

    def test_a_program_that_fails_loses_no_row_of_the_others(self):
        status, text = self.run_program("sum", sys.executable, os.path.join(self.folder.name, "missing"))
        self.assertEqual(status, 1, text)
        self.assertIn("missing: No such file or directory", text)
        with open(os.path.join(self.folder.name, "a_machine.json")) as file:
            result = json.load(file)
        self.assertEqual(len(result["failed"]), 2)
        self.assertTrue(result["rows"])

    def test_rows_and_machine(self):
        status, text = self.run_program("sum|allocate", GRADUS_COMMIT="abc")
        self.assertEqual(status, 0, text)
        path = os.path.join(self.folder.name, "a_machine.json")
        with open(path) as file:
            result = json.load(file)
        self.assertEqual(result["commit"], "abc")
        self.assertRegex(result["date"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        for key in ("compiler", "Eigen", "flags", "machine"):
            self.assertTrue(result[key], key)
        peaks = result["peaks"]
        self.assertGreater(peaks["GFLOP/s float, 1 thread"], 1.5 * peaks["GFLOP/s double, 1 thread"])
        for key in ("copy", "add", "triad"):
            self.assertGreater(peaks[f"GB/s {key}, 1 thread"], 0.1)
        rows = {row["name"]: row for row in result["rows"]}
        program = "rehearsal/rows"
        self.assertEqual(list(rows), [f"{program}/{name}" for name in ("sum", "sum/threads:2", "allocate")])
        row = rows[f"{program}/sum"]
        self.assertEqual(row["repetitions"], 2)
        self.assertTrue(0 < row["low"] <= row["ns"] <= row["high"], row)
        self.assertTrue(0 < row["of_peak"] < 1 and row["of_copy"] > 0, row)
        self.assertAlmostEqual(row["GFLOP/s"] / row["elements/ns"], 1, places=3)
        self.assertAlmostEqual(row["GB/s"] / row["elements/ns"], 4, places=3)
        self.assertEqual(row["allocated"], 0)
        self.assertEqual(rows[f"{program}/allocate"]["allocated"], 1000)
        self.assertIn("at the end: 3 rows", text)
        compared = subprocess.run(
            [sys.executable, os.path.join(BENCH, "compare.py"), path, path], capture_output=True
        )
        self.assertEqual(compared.returncode, 0, compared.stderr)

    def test_a_row_that_fails(self):
        status, text = self.run_program("fault")
        self.assertEqual(status, 1)
        self.assertIn("fault: a planted fault", text)

    def test_what_is_not_there_is_told_in_a_line(self):
        script, file = os.path.join(BENCH, "run.py"), os.path.join(self.folder.name, "file")
        with open(file, "w"):
            pass
        for words in (["no/program"], [PROGRAM, "--results", file]):
            done = subprocess.run(
                [sys.executable, script, "--no-peers", "--results", self.folder.name, *words],
                capture_output=True,
                text=True,
            )
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"^run.py: .*\n$")

    def test_the_file_is_json_of_short_lines(self):
        rows = [{"name": "ä", "ns": 1.5}, {"name": "b"}]
        result = {"machine": {"caches": [1, 2]}, "rows": rows, "none": [], "peers": {"rows": rows}}
        text = run.written(result)
        self.assertEqual(json.loads(text), result)
        self.assertIn('\n  {"name": "ä", "ns": 1.5},\n', text)

    def test_flat_and_not_flat(self):
        context = {"caches": [{"level": 2, "size": 1000}, {"level": 3, "size": 10000}]}
        rows = [
            scaling(f"batch/2-1/{b}", arena=arena, **{"ns/sample": cost})
            for b, arena, cost in ((1, 10, 9), (2, 990, 2), (4, 5000, 3), (8, 19990, 5), (16, 30000, 6))
        ]
        near, far = "2-1, beyond a core's cache", "2-1, beyond all caches"
        self.assertEqual(run.flatness(rows[:2], context), {})
        self.assertEqual(run.flatness(rows[:3], context), {near: 0.5})
        self.assertEqual(run.flatness(rows, context), {near: 2, far: 0.2})
        self.assertEqual(run.flatness(rows, {}), {})

    def test_without_gnuplot_and_git(self):
        status, text = self.run_program("allocate", PATH="", GRADUS_COMMIT="")
        self.assertEqual(status, 0, text)
        self.assertIn("no charts: gnuplot is not installed", text)
        with open(os.path.join(self.folder.name, "a_machine.json")) as file:
            self.assertEqual(json.load(file)["commit"], "unknown")

    @unittest.skipUnless(shutil.which("gnuplot"), "gnuplot is not installed")
    def test_charts(self):
        costs = {"ns/sample": 10, "ns/layer": 20}
        rows = [
            scaling(f"{kind}/a_net, b/{n}", **costs)
            for kind in ("batch", "width", "depth", "threads")
            for n in (1, 2)
        ]
        rows += [{"name": f"cpu/gemm/float/4x4x4/NT/{who}", "of_peak": 0.5} for who in ("gradus", "eigen")]
        rows += [{"name": "train/steps/2-16-1/batch:32/step/cpu", "ns": 900}]
        peers = {"rows": [{"net": "2-16-1", "batch": 32, "threads": 1,
                           "contestants": {"gradus fit": {"us": 1}, "other": {"us": 2}, "third": {"skipped": "no"}}}]}  # fmt: skip
        kinds = ["batch", "width", "depth", "threads", "products", "steps"]
        for more in ([], ["peers"]):
            result = {"rows": rows, "peers": peers if more else {"skipped": "no"}}
            stem = os.path.join(self.folder.name, "charts")
            shutil.rmtree(stem, ignore_errors=True)
            charts.draw(result, stem)
            self.assertEqual(sorted(os.listdir(stem)), sorted(kind + ".svg" for kind in kinds + more))
            for kind in kinds + more:
                with open(os.path.join(stem, kind + ".svg")) as file:
                    svg = file.read()
                self.assertTrue(svg.rstrip().endswith("</svg>"), kind)
                self.assertTrue(re.search(r"<path|<use", svg), kind)
        charts.draw({"rows": []}, os.path.join(self.folder.name, "nothing"))
        self.assertEqual(os.listdir(os.path.join(self.folder.name, "nothing")), [])


unittest.main()

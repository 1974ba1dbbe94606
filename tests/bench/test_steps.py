# SPDX-License-Identifier: MIT
"""bench/peers/steps.py, rehearsed: small nets, no peer installed, and contestants that do what none should:
python3 test_steps.py BUILD-FOLDER."""

import contextlib
import io
import json
import os
import shlex
import sys
import tempfile
import unittest
from unittest import mock

PEERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench", "peers")
sys.path.insert(0, PEERS)
sys.dont_write_bytecode = True
import steps  # noqa: E402

BUILD = sys.argv.pop(1)

# A contestant: its losses, and what it does when it is asked for a time.
FAKE = """
import json, sys, time
def say(answer):
    print(json.dumps(answer), flush=True)
say({})
row = json.loads(sys.stdin.readline())["row"]
losses, then = json.loads(sys.argv[1]), sys.argv[2]
say({"losses": losses if losses else [0.5] * row["compared_epochs"], "versions": {"fake": "1"}})
for question in sys.stdin:
    if then == "dies":
        sys.exit("it has had enough")
    if then == "sleeps":
        time.sleep(1000)
    say({"us": 1e9, "steps": 1})
"""


class Steps(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        with open(os.path.join(self.folder, "numpy.py"), "w") as file:
            file.write("raise ImportError('hidden')\n")
        hidden = {"PYTHONPATH": self.folder, "GRADUS_PYTHON": sys.executable, "OPENBLAS_CORETYPE": "Atom"}
        environment = mock.patch.dict(os.environ, hidden)
        environment.start()
        self.addCleanup(environment.stop)

    def run_steps(self, *words, status=0):
        file = os.path.join(self.folder, "out.json")
        self.output = io.StringIO()
        with contextlib.redirect_stdout(self.output):
            words = [file, "--quick", "--build", BUILD, *words]
            self.assertEqual(steps.main(words), status)
        with open(file) as report:
            return json.load(report)

    def also(self, name, losses, then=""):
        command = [sys.executable, "-c", FAKE, json.dumps(losses), then]
        return ["--also", f"{name}={shlex.join(command)}"]

    def test_every_row_is_timed_and_absent_peers_are_skipped_with_a_word(self):
        report = self.run_steps()
        every = len(os.sched_getaffinity(0))
        nets = ["2-16-1", "30-64-1", "64-64-10", "64-64-64-10", "64-64-64-64-10"]
        expected = [(net, threads) for net in nets for threads in sorted({1, every})]
        self.assertEqual([(row["net"], row["threads"]) for row in report["rows"]], expected)
        for row in report["rows"]:
            timed = [name for name, r in row["contestants"].items() if "us" in r and name != "libtorch"]
            has_hand = row["threads"] == 1 and row["net"].endswith("-1")
            by_hand = ["hand-written Eigen", "hand-fused"] if has_hand else []
            self.assertEqual(timed, ["gradus fit", "gradus loop", *by_hand])
            self.assertLess(row["losses"][-1], row["losses"][0])
            for name in timed:
                r = row["contestants"][name]
                self.assertTrue(0 < r["min"] <= r["us"] <= r["max"])
                self.assertTrue(0 < r["rss_before_mb"] <= r["peak_rss_mb"])
                self.assertLessEqual(r["losses_difference"], steps.LOSS_BOUND)
            for name in ("torch eager", "torch compiled", "JAX jit", "JAX scan", "Keras fit", "scikit-learn"):
                self.assertEqual(row["contestants"][name], {"skipped": "ImportError: NumPy is not installed"})
            libtorch = row["contestants"]["libtorch"]
            self.assertTrue("us" in libtorch or libtorch["skipped"].endswith("No such file or directory"))
        self.assertIn("gradus ", report["versions"]["gradus"])
        self.assertIn("OPENBLAS_CORETYPE", report["versions"]["left out of the environment"])

    def test_who_has_other_losses_is_refused(self):
        one = ["--rows", "2-16-1", "--threads", "1", "--contestants", "loop,wrong,nan,few"]
        fakes = self.also("wrong", None) + self.also("nan", [None, None]) + self.also("few", [0.5])
        row = self.run_steps(*one, *fakes, status=3)["rows"][0]["contestants"]
        why = "its losses are up to 0.* from gradus fit's, relatively; at most 0.0001 is agreement"
        self.assertRegex(row["wrong"]["refused"], why)
        for name in ("wrong", "nan", "few"):
            self.assertIn("refused", row[name])
            self.assertNotIn("us", row[name])
        self.assertIn("us", row["gradus loop"])
        self.assertIn("wrong               refused: its losses", self.output.getvalue())

    def test_who_fails_is_skipped_and_the_others_go_on(self):
        one = ["--rows", "2-16-1", "--threads", "1", "--contestants", "loop,right,dies,sleeps,ends,absent"]
        losses = self.run_steps(*one)["rows"][0]["losses"]
        fakes = [f for name in ("right", "dies", "sleeps") for f in self.also(name, losses, name)]
        fakes += ["--also", f"ends={sys.executable} -c 1/0", "--also", "absent=/no/program"]
        with mock.patch.object(steps, "TIME_SECONDS", 0.3):
            report = self.run_steps(*one, *fakes)
        row = report["rows"][0]["contestants"]
        self.assertEqual(row["right"]["us"], 1e9)
        self.assertEqual(row["right"]["losses_difference"], 0)
        self.assertEqual(row["dies"]["skipped"], "it ended: it has had enough")
        self.assertEqual(row["sleeps"]["skipped"], "no answer in 0.3 s")
        self.assertEqual(row["ends"]["skipped"], "it ended: ZeroDivisionError: division by zero")
        self.assertEqual(row["absent"]["skipped"], "/no/program: No such file or directory")
        self.assertIn("us", row["gradus loop"])
        self.assertEqual(report["versions"]["fake"], "1")

    def test_without_a_build_it_says_what_to_build(self):
        with self.assertRaises(SystemExit) as end:
            steps.main([os.path.join(self.folder, "out.json"), "--build", self.folder])
        self.assertIn("bench_train_serve", end.exception.code)
        self.assertIn("--target bench_peers", end.exception.code)

    def test_after_its_time_nothing_new_is_begun(self):
        row = self.run_steps("--seconds", "0", "--rows", "2-16-1", "--threads", "1")["rows"][0]["contestants"]
        self.assertEqual(row["gradus loop"]["skipped"], "the time was up")
        self.assertIn("us", row["gradus fit"])


if __name__ == "__main__":
    unittest.main()

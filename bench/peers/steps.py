#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whole training steps on the CPU, gradus' and those of what one would take instead: README.md has the rules.

Each contestant of a row is a process of its own that answers questions, a line of JSON each
(bench/train/serve.hpp). All are opened, losses are compared, and then each is asked in turn, round after
round, for the time of some steps; who is not asked is stopped."""

import argparse
import array
import contextlib
import json
import math
import os
import re
import select
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import machine  # noqa: E402

REFERENCE = "gradus fit"
LOSS_BOUND = 1e-4  # how far a loss may be from the reference's, relative to it
OPEN_SECONDS, TIME_SECONDS = 100, 60  # no answer after these is one, too

# What the contestants see of the environment, and nothing else: what is set for other programs slows some.
KEPT = ["PATH", "HOME", "USER", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "CXX"]
SET = {"CUDA_VISIBLE_DEVICES": "-1", "TORCHINDUCTOR_COMPILE_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
TELLING = re.compile("OMP|MKL|BLAS|BLIS|KMP|XLA|^TF_|JAX|KERAS|DNN|TORCH|ATEN|NPROC|MALLOC|PRELOAD|^GRADUS")


class Failed(Exception):
    """Why a contestant has no time."""


class Worker:
    """A process that serves one row, stopped but while it is asked."""

    def __init__(self, pid, questions, answers, log, kill):
        self.pid, self.questions, self.answers, self.log, self.kill = pid, questions, answers, log, kill
        self.text = b""

    def hear(self, seconds):
        end = time.monotonic() + seconds
        while b"\n" not in self.text:
            if not select.select([self.answers], [], [], max(0, end - time.monotonic()))[0]:
                raise Failed(f"no answer in {seconds} s")
            more = os.read(self.answers, 1 << 16)
            if not more:
                raise Failed(f"it ended{last_line(self.log)}")
            self.text += more
        line, _, self.text = self.text.partition(b"\n")
        answer = json.loads(line)
        if "skipped" in answer:
            raise Failed(answer["skipped"])
        return answer

    def ask(self, question, seconds):
        os.kill(self.pid, signal.SIGCONT)
        with contextlib.suppress(BrokenPipeError):  # hear() finds the end
            os.write(self.questions, json.dumps(question).encode() + b"\n")
        answer = self.hear(seconds)
        os.kill(self.pid, signal.SIGSTOP)
        return answer

    def megabytes(self, key):
        """VmRSS or VmHWM, its peak."""
        with open(f"/proc/{self.pid}/status") as file:
            return round(int(re.search(rf"{key}:\s+(\d+) kB", file.read())[1]) / 1024, 1)

    def close(self):
        if self.kill:
            self.kill()
            os.close(self.questions), os.close(self.answers)
        self.kill = None


def begin(command, environment, **pipes):
    """In a session of its own: a terminal that closes wakes who is stopped."""
    return subprocess.Popen(command, env=environment, start_new_session=True, **pipes)


def last_line(log):
    with open(log, errors="replace") as file:
        lines = file.read().strip().splitlines()
    return f": {lines[-1].strip()[:300]}" if lines else ""


class Program:
    """A contestant that is started anew for each row."""

    def __init__(self, command, environment, log):
        self.command, self.environment, self.log = command, environment, log

    def worker(self):
        with open(self.log, "w") as log:
            try:
                pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log, "bufsize": 0}
                process = begin(self.command, self.environment, **pipes)
            except OSError as e:
                raise Failed(f"{self.command[0]}: {e.strerror}")
        pipes = os.dup(process.stdin.fileno()), os.dup(process.stdout.fileno())
        process.stdin.close(), process.stdout.close()

        def kill():
            process.kill()
            process.wait()

        return Worker(process.pid, *pipes, self.log, kill)

    def close(self):
        pass


class Library:
    """A script that imports its library once; a row's process is forked from it."""

    def __init__(self, command, environment, log):
        self.log = log
        self.control, theirs = socket.socketpair()
        with open(log, "w") as to:
            self.process = begin(command, environment, stdin=theirs, stdout=to, stderr=to)
        theirs.close()
        self.control.settimeout(OPEN_SECONDS)

    def worker(self):
        (question, questions), (answers, answer) = os.pipe(), os.pipe()
        try:
            socket.send_fds(self.control, [b"?"], [question, answer])
            pid = array.array("i", self.control.recv(4))
            if not pid:
                raise Failed(f"it ended{last_line(self.log)}")
        except (OSError, Failed) as e:
            os.close(questions), os.close(answers)
            raise e if isinstance(e, Failed) else Failed(f"it cannot be begun: {e}{last_line(self.log)}")
        finally:
            os.close(question), os.close(answer)
        return Worker(pid[0], questions, answers, self.log, lambda: kill_other(pid[0]))

    def close(self):
        self.control.close()
        self.process.kill()
        self.process.wait()


def kill_other(pid):
    with contextlib.suppress(ProcessLookupError):  # not our child: its parent buries it
        os.kill(pid, signal.SIGKILL)


def contestants(options, work):
    """name -> what gives its processes."""
    environment = {name: os.environ[name] for name in KEPT if name in os.environ} | SET
    environment["TORCHINDUCTOR_CACHE_DIR"] = os.path.join(work, "torchinductor")
    python = os.environ.get("GRADUS_PYTHON") or sys.executable
    built = os.path.join(options.build, "bench")

    def program(name, *names):
        return [(n, Program, [os.path.join(built, name)]) for n in names]

    def script(name, *names, also=()):
        command = [python, os.path.join(HERE, name), "--device", "cpu", "--serve", *also]
        return [(n, Library, command) for n in names]

    everyone = [
        *program("bench_train_serve", REFERENCE, "gradus loop", "hand-written Eigen", "hand-fused"),
        *program("bench_peers_libtorch", "libtorch"),
        *script("torch_steps.py", "torch eager"),
        *script("jax_steps.py", "JAX jit", "JAX scan"),
        *script("tensorflow_steps.py", "TensorFlow", "TensorFlow XLA", "Keras fit"),
        *script("sklearn_steps.py", "scikit-learn"),
        *script("torch_steps.py", "torch compiled", also=["--compiler"]),  # takes longest to open
    ]
    for also in options.also:
        name, _, command = also.partition("=")
        everyone.append((name, Program, shlex.split(command)))
    chosen, begun = {}, {}
    for name, kind, command in everyone:
        if name == REFERENCE or any(part in name for part in options.contestants.split(",")):
            key = " ".join(command)
            if key not in begun:
                begun[key] = kind(command, environment, os.path.join(work, f"{len(begun)}.log"))
            chosen[name] = begun[key]
    return chosen


def difference(losses, reference):
    """The largest, relative to the reference; infinite where one is missing or not finite."""
    if len(losses) != len(reference) or None in losses:
        return math.inf
    return max(abs(x - y) / abs(y) for x, y in zip(losses, reference))


class Comparison:
    """The report, written after every row: an interruption loses nothing that was finished."""

    def __init__(self, options, everyone):
        self.options, self.everyone, self.begin = options, everyone, time.monotonic()
        self.processors = sorted(os.sched_getaffinity(0))
        self.report = {
            "versions": {
                "machine": machine.processor()[0],
                "processors": len(self.processors),
                "system": machine.SYSTEM,
                "environment": SET,
                "left out of the environment": sorted(filter(TELLING.search, os.environ)),
            },
            "rows": [],
        }

    def write(self):
        new = self.options.file + ".new"
        with open(new, "w") as file:
            json.dump(self.report, file, indent=1, allow_nan=False)
        os.replace(new, self.options.file)

    def row(self, net, threads):
        results = {}
        row = {"net": net["name"].split()[0], "batch": net["batch"], "threads": threads}
        self.report["rows"].append(row)
        with contextlib.ExitStack() as stack:
            running, reference = {}, None
            for name in self.everyone:
                try:
                    if time.monotonic() - self.begin > self.options.seconds and name != REFERENCE:
                        raise Failed("the time was up")
                    worker, losses, results[name] = self.open(name, net, threads, stack)
                    reference = reference or losses  # it is the first one
                    d = difference(losses, reference)
                    results[name]["losses_difference"] = d if math.isfinite(d) else None
                    if d > LOSS_BOUND:
                        results[name]["refused"] = (
                            f"its losses are up to {d:.2g} from {REFERENCE}'s, relatively; "
                            f"at most {LOSS_BOUND:g} is agreement"
                        )
                    else:
                        running[name] = worker
                except Failed as e:
                    if name == REFERENCE:
                        sys.exit(f"{name}: {e}")
                    results[name] = {"skipped": str(e)}
            row |= {"losses": reference, "contestants": results}
            self.time(running, results)
            for name, worker in running.items():
                results[name]["peak_rss_mb"] = worker.megabytes("VmHWM")
        self.write()
        print_row(row)

    def open(self, name, net, threads, stack):
        worker = self.everyone[name].worker()
        stack.callback(worker.close)
        os.sched_setaffinity(worker.pid, self.processors[-1:] if threads == 1 else self.processors)
        worker.hear(OPEN_SECONDS)
        before = worker.megabytes("VmRSS")
        answer = worker.ask({"variant": name, "row": net, "threads": threads}, OPEN_SECONDS)
        self.report["versions"] |= answer.get("versions", {})
        return worker, answer["losses"], {"rss_before_mb": before}

    def time(self, running, results):
        """Round after round, all in turn. The first round, which warms up, does not count."""
        times = {name: [] for name in running}
        for number in range(-1, self.options.repeats):
            for name in list(running):
                try:
                    us = running[name].ask({"time": self.options.repeat_seconds}, TIME_SECONDS)["us"]
                    if number >= 0:
                        times[name].append(us)
                except Failed as e:
                    results[name] = {"skipped": str(e)}
                    running.pop(name).close()
        for name in running:
            t = times[name]
            results[name] |= {"us": statistics.median(t), "min": min(t), "max": max(t), "repeats": t}


def print_row(row):
    threads = f"{row['threads']} thread{'s' if row['threads'] > 1 else ''}"
    name = f"{row['net']} b{row['batch']}, {threads}"
    print(f"\n{name:40s}   µs/step       min       max   peak MB   losses within")
    for name, r in row["contestants"].items():
        if "us" in r:
            us = "".join(f"{r[key]:10.{2 if r[key] < 1000 else 0}f}" for key in ("us", "min", "max"))
            print(f"  {name:38s}{us}{r['peak_rss_mb']:10.0f}   {r['losses_difference']:.1e}")
        else:
            what = "refused" if "refused" in r else "skipped"
            print(f"  {name:20s}{what}: {r[what]}")
    sys.stdout.flush()


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", help="the JSON file to write")
    parser.add_argument("--build", default="build/bench", help="where CMake has built bench/")
    parser.add_argument("--rows", default="", help="only nets with this in their names")
    parser.add_argument("--contestants", default="", help="only those with one,of,these in their names")
    parser.add_argument("--threads", choices=["1", "all", "both"], default="both")
    parser.add_argument("--seconds", type=float, default=280, help="begin nothing new after these")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--repeat-seconds", type=float, default=0.1)
    parser.add_argument("--quick", action="store_true", help="small nets, short repeats: a rehearsal")
    parser.add_argument("--also", action="append", default=[], metavar="NAME=COMMAND", help="one more")
    options = parser.parse_args(arguments)
    if options.quick:
        options.repeats, options.repeat_seconds = 2, 0.001
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))

    work = tempfile.mkdtemp(prefix="gradus_steps_")
    everyone = {}
    try:
        server = os.path.join(options.build, "bench", "bench_train_serve")
        try:
            subprocess.run([server, "--nets", work] + ["--quick"] * options.quick, check=True)
        except (OSError, subprocess.CalledProcessError) as e:
            build = "cmake --preset bench && cmake --build --preset bench --target bench_peers"
            sys.exit(f"steps.py: {e}\nbuild it: {build}")
        with open(os.path.join(work, "rows.json")) as file:
            nets = json.load(file)["rows"]
        everyone |= contestants(options, work)
        comparison = Comparison(options, everyone)
        every = len(comparison.processors)
        wanted = {"1": {1}, "all": {every}, "both": {1, every}}[options.threads]
        for net in nets:
            for threads in sorted(wanted):
                if options.rows in net["name"]:
                    comparison.row(net, threads)
    finally:
        for one in set(everyone.values()):
            one.close()
        shutil.rmtree(work, ignore_errors=True)
    refused = any("refused" in r for row in comparison.report["rows"] for r in row["contestants"].values())
    return 3 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

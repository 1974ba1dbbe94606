# SPDX-License-Identifier: MIT
"""What the peers' scripts share: rows and their files, and who asks for figures: bench_cuda_steps with a file
of rows, which is worked off, or steps.py, row by row."""

import argparse
import array
import ctypes
import gc
import itertools
import json
import math
import os
import signal
import socket
import statistics
import struct
import sys
import time

try:
    import numpy
except ImportError:  # load() says so
    numpy = None

BETAS, EPSILON = (0.9, 0.999), 1e-8  # Adam's, everybody's


class Peer:
    """A library at hand. variants: name -> make(row), which gives a Training or what has its methods."""

    def __init__(self, variants, versions, set_threads=None, free=lambda: None, late=()):
        self.variants, self.versions, self.set_threads = variants, versions, set_threads
        self.free, self.late = free, late  # late: what takes long to compile comes after all else


class Training:
    """A net, its optimizer and its data, step by step. Has
    steps    of a call
    count    how many batches it takes one after the other, and then again
    __call__ does its steps and gives their losses
    and wait() returns when all of it is done."""

    steps = 1

    def wait(self):
        pass

    def losses(self, row):
        """From the first weights: the mean of each compared epoch."""
        self.count = row["compared_batches"]
        n = row["compared_batches"] * row["compared_epochs"]
        losses = numpy.array([self().tolist() for _ in range(n // self.steps)])
        return losses.reshape(row["compared_epochs"], -1).mean(axis=1).tolist()

    def train(self, row, laps):
        """Epoch after epoch, until laps() has enough."""
        self.count = row["batches"]
        calls = math.ceil(row["batches"] / self.steps)
        while True:
            for _ in range(calls):
                self()
            self.wait()
            if not laps(calls * self.steps):
                return


def run(names, load):
    """A script's main program. load(options) gives a Peer, or raises why there is none."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", help="rows.json, as bench_cuda_steps writes it")
    parser.add_argument("results", nargs="?", help="the JSON file to write")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=600, help="begin nothing new after these")
    parser.add_argument("--quick", action="store_true", help="a rehearsal: times mean nothing")
    parser.add_argument("--no-times", action="store_true", help="compare losses only")
    parser.add_argument("--serve", action="store_true", help="answer steps.py, which is at stdin")
    parser.add_argument("--compiler", action="store_true", help="import the library's compiler, too")
    options = parser.parse_args()
    if options.serve:
        sys.exit(serve(load, options))
    results = Results(options)
    try:
        peer = loaded(load, options)
    except Exception as e:
        for row in results.rows:
            for name in names:
                results.put(row, name, {"skipped": words(e)})
        return
    results.all["versions"], results.start = peer.versions, time.perf_counter()
    for late in (False, True):  # each net once before any net's second precision
        nets = [row["widths"] for row in results.rows]
        order = sorted(range(len(nets)), key=lambda i: nets[:i].count(nets[i]) if late else 0)
        for i in order:
            for name in names:
                if (name in peer.late) == late:
                    results.measure(results.rows[i], name, peer.variants[name])
                    gc.collect()
                    peer.free()


def loaded(load, options):
    if numpy is None:
        raise ImportError("NumPy is not installed")
    return load(options)


def words(e):
    """What an exception says, in a line."""
    lines = str(e).strip().splitlines()
    return f"{type(e).__name__}: {lines[0] if lines else ''}"[:300]


# ---- files --------------------------------------------------------------------------------------------


def read_tensors(path):
    """A safetensors file as NumPy arrays over its bytes: 8 bytes of length, a JSON header, the numbers."""
    types = {"F32": numpy.float32, "I32": numpy.int32}
    data = numpy.memmap(path, dtype=numpy.uint8, mode="c")
    length = struct.unpack("<Q", data[:8].tobytes())[0]
    header = json.loads(data[8 : 8 + length].tobytes())
    header.pop("__metadata__", None)
    body = data[8 + length :]
    return {
        name: body[slice(*e["data_offsets"])].view(types[e["dtype"]]).reshape(e["shape"])
        for name, e in header.items()
    }


def read_batches(row):
    """x [batches, batch, inputs], t [batches, batch, outputs] or labels [batches, batch]."""
    data = read_tensors(row["data"])
    return tuple(data[k].reshape(row["batches"], row["batch"], *data[k].shape[1:]) for k in ("x", "t"))


def layers(row):
    """The weights [out, in] and biases of each layer, whose places are every second one of a Sequential."""
    tensors = read_tensors(row["weights"])
    return [(tensors[f"{2 * i}.weight"], tensors[f"{2 * i}.bias"]) for i in range(len(row["widths"]) - 1)]


# ---- asked by bench_cuda_steps ---------------------------------------------------------------------


class Results:
    """Written after every figure: what a crash or a time limit interrupts is not lost."""

    def __init__(self, options):
        with open(options.rows) as file:
            self.rows = json.load(file)["rows"]
        self.path, self.start, self.options = options.results, time.perf_counter(), options
        self.all = {"versions": {}, "rows": {}}
        self.write()

    def write(self):
        with open(self.path + ".new", "w") as file:
            json.dump(self.all, file, indent=1, allow_nan=False)
        os.replace(self.path + ".new", self.path)

    def put(self, row, variant, result):
        self.all["rows"].setdefault(row["name"], {})[variant] = result
        self.write()
        said = result.get("skipped") or (f"{result['us']:.2f} us/step" if "us" in result else "losses only")
        print(f"{row['name']:26s} {variant:24s} {said}", flush=True)

    def measure(self, row, variant, make):
        if time.perf_counter() - self.start > self.options.seconds:
            return self.put(row, variant, {"skipped": "its time was up"})
        try:
            training = make(row)
            result = {"losses": finite(training.losses(row))}
            if not self.options.no_times:
                training.count = row["batches"]
                result["us"] = microseconds(training, *((2, 0.01) if self.options.quick else (5, 0.3)))
        except Exception as e:  # a peer that cannot do something is skipped with its own words
            result = {"skipped": words(e)}
        self.put(row, variant, result)


def finite(losses):
    return [float(x) if math.isfinite(x) else None for x in losses]


def microseconds(training, repeats, seconds):
    """The median of the repeats, each of some `seconds`. Finding out how many calls that is warms up."""

    def elapsed(calls):
        training.wait()
        start = time.perf_counter()
        for _ in range(calls):
            training()
        training.wait()
        return time.perf_counter() - start

    calls = max(1, 50 // training.steps)
    elapsed(calls)
    calls = max(1, math.ceil(calls * seconds / elapsed(calls)))
    calls = max(1, math.ceil(calls * seconds / elapsed(calls)))  # again, now that it is warm
    return statistics.median(elapsed(calls) for _ in range(repeats)) / (calls * training.steps) * 1e6


# ---- asked by steps.py -----------------------------------------------------------------------------


def serve(load, options):
    """bench/train/serve.hpp says what is asked. A row has a process of its own, forked from this one, which
    has imported the library and done nothing with it: its memory is its own, and importing is done once."""
    os.dup2(2, 1)  # whatever a library prints
    try:
        peer, why_not = loaded(load, options), None
    except Exception as e:
        peer, why_not = None, words(e)
    gc.freeze()
    pages = list(file_pages())
    control = socket.socket(fileno=os.dup(0))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, pipes, *_ = socket.recv_fds(control, 1, 2)
        if not message:
            return 0
        pid = os.fork()
        if pid == 0:
            break
        for pipe in pipes:
            os.close(pipe)
        control.send(array.array("i", [pid]).tobytes())
    control.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    bring_back(pages)
    laps = Laps(*pipes)
    laps.answer({})
    asked = laps.question()
    try:
        if not peer:
            raise Skipped(why_not)
        peer.set_threads(asked["threads"])
        training = peer.variants[asked["variant"]](asked["row"])
        laps.answer({"losses": finite(training.losses(asked["row"])), "versions": peer.versions})
    except Exception as e:
        laps.answer({"skipped": str(e) if isinstance(e, Skipped) else words(e)})
        return 0
    training.train(asked["row"], laps)
    return 0


class Skipped(Exception):
    pass


def file_pages():
    """(address, bytes) of what this process has of files in memory, libraries above all."""
    size = os.sysconf("SC_PAGE_SIZE")
    with open("/proc/self/maps") as maps, open("/proc/self/pagemap", "rb", buffering=0) as pagemap:
        for line in maps:
            area, _, _, _, inode, *_ = line.split()
            first, last = (int(address, 16) for address in area.split("-"))
            if inode != "0":
                bits = array.array("Q")
                bits.frombytes(os.pread(pagemap.fileno(), (last - first) // size * 8, first // size * 8))
                for there, group in itertools.groupby(enumerate(bits), lambda entry: entry[1] >> 63):
                    pages = list(group)
                    if there:
                        yield first + pages[0][0] * size, len(pages) * size


def bring_back(pages):
    """A forked process has not those of its parent, and would look smaller than one that has imported."""
    populate_read = 22
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    for address, size in pages:
        madvise(address, size, populate_read)


class Laps:
    """The time of whole epochs. The first one, in which memory is taken, is nobody's."""

    def __init__(self, questions, answers):
        self.questions, self.answers = open(questions), open(answers, "w")
        self.asked = None

    def question(self):
        line = self.questions.readline()
        return json.loads(line) if line else None

    def answer(self, line):
        print(json.dumps(line), file=self.answers, flush=True)

    def __call__(self, steps):
        """After an epoch of `steps`. Where the seconds that were asked for are over, it answers and waits for
        the next question; False: there is none any more."""
        if self.asked is not None:
            elapsed = time.perf_counter() - self.begin
            self.steps += steps
            if elapsed < self.asked:
                return True
            self.answer({"us": elapsed / self.steps * 1e6, "steps": self.steps})
        question = self.question()
        if question is None:
            return False
        self.asked, self.steps, self.begin = question["time"], 0, time.perf_counter()
        return True

# SPDX-License-Identifier: MIT
"""What the peers' scripts share: the rows, the files, the clock, the results."""

import argparse
import json
import math
import os
import statistics
import struct
import sys
import time

import numpy

BETAS, EPSILON = (0.9, 0.999), 1e-8  # Adam's, everybody's


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", help="rows.json, as bench_cuda_steps writes it")
    parser.add_argument("results", help="the JSON file to write")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=600, help="begin nothing new after these")
    parser.add_argument("--quick", action="store_true", help="a rehearsal: times mean nothing")
    parser.add_argument("--no-times", action="store_true", help="compare losses only")
    return parser.parse_args()


def read_rows(path):
    with open(path) as file:
        return json.load(file)["rows"]


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


class Results:
    """Written after every figure: what a crash or a time limit interrupts is not lost."""

    def __init__(self, options, versions):
        self.path, self.start, self.options = options.results, time.perf_counter(), options
        self.all = {"versions": versions, "rows": {}}
        self.write()

    def write(self):
        with open(self.path + ".new", "w") as file:
            json.dump(self.all, file, indent=1, allow_nan=False)
        os.replace(self.path + ".new", self.path)

    def put(self, row, variant, result):
        self.all["rows"].setdefault(row["name"], {})[variant] = result
        self.write()
        words = result.get("skipped") or (f"{result['us']:.2f} us/step" if "us" in result else "losses only")
        print(f"{row['name']:26s} {variant:24s} {words}", flush=True)

    def measure(self, row, variant, make, wait):
        """make() gives an object with
        steps    of a call
        count    how many batches it takes one after the other, and then again
        __call__ does its steps and gives their losses, on the device
        and wait() returns when all of it is done."""
        if time.perf_counter() - self.start > self.options.seconds:
            return self.put(row, variant, {"skipped": "its time was up"})
        try:
            run = make()
            run.count = row["compared_batches"]
            n = row["compared_batches"] * row["compared_epochs"]
            losses = numpy.array([run().tolist() for _ in range(n // run.steps)])
            epochs = losses.reshape(row["compared_epochs"], -1).mean(axis=1)
            result = {"losses": [float(x) if math.isfinite(x) else None for x in epochs]}
            if not self.options.no_times:
                run.count = row["batches"]
                result["us"] = microseconds(run, wait, *((2, 0.01) if self.options.quick else (5, 0.3)))
        except Exception as e:  # a peer that cannot do something is skipped with its own words
            words = str(e).strip().splitlines()
            result = {"skipped": f"{type(e).__name__}: {words[0] if words else ''}"[:300]}
        self.put(row, variant, result)


def microseconds(run, wait, repeats, seconds):
    """The median of the repeats, each of some `seconds`. Finding out how many calls that is warms up."""

    def elapsed(calls):
        wait()
        start = time.perf_counter()
        for _ in range(calls):
            run()
        wait()
        return time.perf_counter() - start

    calls = max(1, 50 // run.steps)
    elapsed(calls)
    calls = max(1, math.ceil(calls * seconds / elapsed(calls)))
    calls = max(1, math.ceil(calls * seconds / elapsed(calls)))  # again, now that it is warm
    return statistics.median(elapsed(calls) for _ in range(repeats)) / (calls * run.steps) * 1e6


def skip_all(options, rows, names, why):
    """For a peer that is not here."""
    results = Results(options, {})
    for row in rows:
        for name in names:
            results.put(row, name, {"skipped": why})
    sys.exit(0)

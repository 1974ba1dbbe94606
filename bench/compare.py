#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare.py OLD NEW: the rows of two files of results that got slower, or quicker, by more than the noise.

A row's noise is what the repetitions of both runs show, and at least what two runs of one program differ by on
a quiet machine: with q the interquartile range over the median,

    noise = max(5 %, 2 sqrt(q_old² + q_new²))

and a row is slower if new / old > 1 + noise, quicker if old / new > 1 + noise, of medians. If the files are of
different machines, compilers or flags, that is said first: then a row's change need not be gradus'. Exit status:
0, nothing got slower; 1, something did; 2, a file cannot be used."""

import json
import math
import sys

LEAST, FACTOR = 0.05, 2
MACHINE, BUILD = ("processor", "model", "processors", "system"), ("compiler", "Eigen", "flags")


class Unusable(Exception):
    pass


def read(path):
    """What should be alike in both files, and (median, low, high) by the names of rows."""
    try:
        with open(path) as file:
            result = json.load(file)
        rows = {
            row["name"]: (float(row["ns"]), float(row["low"]), float(row["high"])) for row in result["rows"]
        }
        made_by = {key: result["machine"][key] for key in MACHINE} | {key: result[key] for key in BUILD}
    except OSError as e:
        raise Unusable(f"{path}: {e.strerror}")
    except (ValueError, KeyError, TypeError) as e:
        raise Unusable(f"{path}: not a file of bench/run.py ({type(e).__name__}: {e})")
    for name, (ns, low, high) in rows.items():
        if not 0 < low <= ns <= high < math.inf:
            raise Unusable(f"{path}: {name} has {ns} ns, quartiles {low} and {high}")
    return made_by, rows


def noise(old, new):
    return max(LEAST, FACTOR * math.hypot(*((high - low) / ns for ns, low, high in (old, new))))


def compare(old, new):
    """(slower, quicker), lists of (ratio new / old, noise, name), the most first."""
    slower, quicker = [], []
    for name in old.keys() & new.keys():
        ratio, bound = new[name][0] / old[name][0], noise(old[name], new[name])
        if ratio > 1 + bound:
            slower.append((ratio, bound, name))
        elif 1 / ratio > 1 + bound:
            quicker.append((ratio, bound, name))
    return sorted(slower, reverse=True), sorted(quicker)


def main():
    if len(sys.argv) != 3:
        raise Unusable("usage: compare.py OLD.json NEW.json")
    (old_by, old), (new_by, new) = (read(path) for path in sys.argv[1:])
    for key in (key for key in old_by if new_by[key] != old_by[key]):
        here, there = json.dumps(new_by[key]), json.dumps(old_by[key])
        words = f"has {key} {here}; it should have {there}, as {sys.argv[1]}: rows may differ by that alone"
        print(f"{sys.argv[2]} {words}")
    if not old.keys() & new.keys():
        raise Unusable("the files have no row in common")
    slower, quicker = compare(old, new)
    for word, changed in (("slower", slower), ("quicker", quicker)):
        for ratio, bound, name in changed:
            ns = f"{old[name][0]:.4g} -> {new[name][0]:.4g} ns"
            print(f"{word:8s}{ratio:6.2f} of before, beyond {bound:4.0%} of noise   {name}   {ns}")
    for name in (name for name in old if name not in new):
        print(f"gone     {name}")
    for name in (name for name in new if name not in old):
        print(f"new      {name}")
    print(f"{len(old.keys() & new.keys())} rows compared: {len(slower)} slower, {len(quicker)} quicker")
    return 1 if slower else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Unusable as e:
        print(f"compare.py: {e}", file=sys.stderr)
        sys.exit(2)

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare.py OLD NEW: the rows of two files of results that got slower, or quicker, by more than the noise.

A row's noise is what the repetitions of both runs show, and at least what two runs of one program differ by on
a quiet machine: with q the interquartile range over the median,

    noise = max(5 %, 2 sqrt(q_old² + q_new²))

and a row is slower if new / old > 1 + noise, quicker if old / new > 1 + noise, of medians. Exit status: 0, nothing
got slower; 1, something did; 2, a file cannot be used."""

import json
import math
import sys

LEAST, FACTOR = 0.05, 2


class Unusable(Exception):
    pass


def rows_of(path):
    try:
        with open(path) as file:
            rows = {
                row["name"]: (float(row["ns"]), float(row["low"]), float(row["high"]))
                for row in json.load(file)["rows"]
            }
    except OSError as e:
        raise Unusable(f"{path}: {e.strerror}")
    except (ValueError, KeyError, TypeError) as e:
        raise Unusable(f"{path}: not a file of bench/run.py ({type(e).__name__}: {e})")
    for name, (ns, low, high) in rows.items():
        if not 0 < low <= ns <= high < math.inf:
            raise Unusable(f"{path}: {name} has {ns} ns, quartiles {low} and {high}")
    return rows


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
    old, new = (rows_of(path) for path in sys.argv[1:])
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

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the benchmark programs; leaves RESULTS/<machine>.json, and charts in RESULTS/<machine>/."""

import argparse
import datetime
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import charts
import machine

HERE = os.path.dirname(os.path.abspath(__file__))
REPETITIONS, SECONDS = 5, 0.02  # of each row: so many times, for so long at least
TO_NS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", nargs="+", help="the benchmark programs")
    parser.add_argument("--build", default="build/bench", help="where CMake has built them, for the peers")
    parser.add_argument("--results", default=os.path.join(HERE, "results"), help="the folder to write to")
    parser.add_argument("--machine", help="the file's name instead of the processor's")
    parser.add_argument("--filter", default=".", help="only rows that this matches (a regular expression)")
    parser.add_argument("--quick", action="store_true", help="a rehearsal: the times mean nothing")
    parser.add_argument("--no-peers", action="store_true", help="without bench/peers")
    return parser.parse_args()


def output_of(*command):
    try:
        return subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def commit():
    """What GRADUS_COMMIT names where the sources are without their history."""
    found = os.environ.get("GRADUS_COMMIT") or output_of("git", "rev-parse", "HEAD")
    changed = output_of(
        "git", "status", "--porcelain", "--untracked-files=no", "--", "../include", ".", ":!results"
    )
    return (found or "unknown") + (" and changes" if changed and not os.environ.get("GRADUS_COMMIT") else "")


def usable_processors():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def processors_taken():
    """By others: of one second, in processors."""

    def ticks():
        with open("/proc/stat") as file:
            numbers = [int(number) for number in file.readline().split()[1:9]]
        return sum(numbers), numbers[3] + numbers[4]  # of these idle, or waiting for a disk

    try:
        (all_before, idle_before), _, (all_after, idle_after) = ticks(), time.sleep(1), ticks()
    except OSError:
        return 0.0
    return round(os.cpu_count() * (1 - (idle_after - idle_before) / max(1, all_after - all_before)), 2)


def program_name(path):
    """build/bench/bench/bench_train_steps -> train/steps, as the source is bench/train/steps.cpp."""
    return re.sub(r"^bench_", "", os.path.basename(path)).replace("_", "/", 1)


class Failed(Exception):
    """One program; what the others have measured is kept."""


def run(program, options, work):
    """Google Benchmark's JSON of one program, its repetitions in random order."""
    out = os.path.join(work, os.path.basename(program) + ".json")
    command = [
        program,
        f"--benchmark_out={out}",
        "--benchmark_out_format=json",
        f"--benchmark_filter={options.filter}",
    ]
    command += [f"--benchmark_repetitions={2 if options.quick else REPETITIONS}"]
    command += [f"--benchmark_min_time={0.0001 if options.quick else SECONDS}"]
    command += ["--benchmark_enable_random_interleaving=true"]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    except OSError as e:
        raise Failed(f"{program}: {e.strerror}") from e
    if done.returncode != 0:
        raise Failed(f"{program} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    with open(out) as file:
        text = file.read()
    if not text.strip():  # no row that the filter matches
        return None, ""
    return json.loads(text), done.stdout.partition("\n\n")[2]


def quartiles(values):
    low, middle, high = (
        statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    )
    return middle, low, high


def rows_of(program, report):
    """One row for all repetitions of one: medians, and the quartiles of the time."""
    found = {}
    for one in sorted(
        report["benchmarks"], key=lambda one: one["family_index"]
    ):  # not as they were interleaved
        if one.get("error_occurred"):
            sys.exit(f"run.py: {program}: {one['name']}: {one.get('error_message')}")
        if one["run_type"] == "iteration":
            found.setdefault(one["run_name"], []).append(one)
    for name, runs in found.items():
        plain, wall = re.subn(r"/(real_time|manual_time)$", "", name)
        clock = "real_time" if wall else "cpu_time"
        ns, low, high = quartiles([run[clock] * TO_NS[run["time_unit"]] for run in runs])
        row = {"name": f"{program}/{plain}", "ns": ns, "low": low, "high": high, "repetitions": len(runs)}
        counters = list(runs[0])[
            list(runs[0]).index("time_unit") + 1 :
        ]  # what comes after it is the row's own
        row |= {key: statistics.median(run[key] for run in runs) for key in counters}
        yield {
            key: float(f"{value:.5g}") if isinstance(value, float) else value for key, value in row.items()
        }


def print_row(row):
    spread = (row["high"] - row["low"]) / row["ns"] if row["ns"] else 0
    words = [f"{row['name']:58s} {charts.in_words(row['ns']):>10s} {spread:6.1%}"]
    words += [f"{row['GFLOP/s']:8.1f} GFLOP/s"] if "GFLOP/s" in row else []
    words += [f"{row['of_peak']:4.0%} of peak"] if "of_peak" in row else []
    words += [f"{row['GB/s']:8.1f} GB/s"] if "GB/s" in row else []
    words += [f"{row['of_copy']:4.0%} of a copy"] if "of_copy" in row else []
    words += [f"{row['allocated']:.0f} B"] if row.get("allocated", 0) >= 0.5 else []
    print("  ".join(words), flush=True)


def flatness(rows, context):
    """How far the cost of a sample is from flat: over steps that exceed a core's own cache, and over those that
    exceed all caches twice, of which these keep little."""
    sizes = {c["level"]: c["size"] for c in context.get("caches", [])}
    regimes = {"beyond a core's cache": sizes.get(2, 1 << 20)}
    if 3 in sizes:
        regimes["beyond all caches"] = 2 * sizes[3]
    found = {}
    for row in rows:
        if match := re.match(r"train/scaling/batch/((\d+).*?)/(\d+)((?:/threads:\d+)?)$", row["name"]):
            bytes_of_step = row["arena"] + 4 * int(match[2]) * int(match[3])
            for regime, least in regimes.items():
                if bytes_of_step >= least:
                    name = f"{match[1]}{match[4]}, {regime}"
                    found.setdefault(name, []).append(row["ns/sample"])
    return {name: round(max(c) / min(c) - 1, 4) for name, c in found.items() if len(c) > 1}


def peers(options, work):
    script, out = os.path.join(HERE, "peers", "steps.py"), os.path.join(work, "peers.json")
    if options.no_peers or not os.path.exists(script):
        return None
    print("\npeers", flush=True)
    python = os.environ.get("GRADUS_PYTHON") or sys.executable
    command = [python, script, out, "--build", options.build] + ["--quick"] * options.quick
    status = subprocess.run(command).returncode  # whatever goes wrong, what it has written so far is had
    if not os.path.exists(out):
        return {"skipped": f"bench/peers/steps.py ended with {status}"}
    with open(out) as file:
        return json.load(file) | {"status": status}


def written(value, margin=""):
    """JSON with a line for each row, so that the difference of two commits can be read."""
    inner = margin + " "
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {written(part, inner)}" for key, part in value.items()]
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        parts = [json.dumps(part, ensure_ascii=False) for part in value]
    else:
        return json.dumps(value, ensure_ascii=False)
    ends = "[]" if isinstance(value, list) else "{}"
    return f"{ends[0]}\n{inner}" + f",\n{inner}".join(parts) + f"\n{margin}{ends[1]}"


def measure(options, work):
    name, model = machine.processor()
    result = {
        "machine": {
            "processor": name,
            "model": model,
            "processors": usable_processors(),
            "system": machine.SYSTEM,
        },
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": commit(),
        "compiler": "",
        "Eigen": "",
        "flags": "",
        "peaks": {},
        "rows": [],
    }
    context, failed = {}, []
    for path in sorted(options.programs):
        program = program_name(path)
        print(f"\n{program}", flush=True)
        try:
            report, closing = run(path, options, work)
        except Failed as e:
            failed.append(str(e))
            print(f"FAILED: {e}", flush=True)
            continue
        if not report:
            continue
        context = report["context"]
        for key in ("compiler", "Eigen", "flags"):
            result[key] = context[key]
        for key in sorted(context):  # the best of all programs: what disturbs a machine makes it slower
            if re.match(r"G(FLOP|B)/s ", key):
                result["peaks"][key] = max(float(context[key]), result["peaks"].get(key, 0))
        result["machine"]["caches"] = [f"{c['type']} {c['level']}: {c['size']}" for c in context["caches"]]
        for row in rows_of(program, report):
            result["rows"].append(row)
            print_row(row)
        print(closing, end="", flush=True)
    if not result["rows"]:
        sys.exit("run.py: " + ("; ".join(failed) or "no row was measured"))
    if failed:
        result["failed"] = failed
    result["flatness"] = flatness(result["rows"], context)
    if compared := peers(options, work):
        result["peers"] = compared
    return result


def main():
    options, begin = arguments(), time.monotonic()
    try:
        os.makedirs(options.results, exist_ok=True)  # now, not after minutes
    except OSError as e:
        sys.exit(f"run.py: {options.results}: {e.strerror}")
    with tempfile.TemporaryDirectory(prefix="gradus_bench_") as work:
        before = processors_taken()
        result = measure(options, work)
    taken = result["machine"]["processors taken by others"] = max(before, processors_taken())
    if taken > 0.2:
        print(f"\nthe machine is not idle: others have {taken} of its processors")
    name = options.machine or f"{result['machine']['processor']} x{result['machine']['processors']}"
    stem = os.path.join(options.results, re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_"))
    with open(stem + ".json", "w") as file:
        file.write(written(result) + "\n")
    print()
    for series, off in result["flatness"].items():
        print(f"cost of a sample, {series}: flat to within {off:.0%}")
    for row in result["rows"]:
        if match := re.match(r"train/steps/(.*)/step/cpu$", row["name"]):
            whole, forward = (row[key] / row["activations"] for key in ("arena", "arena forward"))
            print(
                f"memory of a step, {match[1]}: {whole:.2f} live activations, {forward:.2f} before backward"
            )
    if shutil.which("gnuplot"):
        charts.draw(result, stem)
    else:
        print("no charts: gnuplot is not installed")
    print(f"{stem}.json: {len(result['rows'])} rows in {time.monotonic() - begin:.0f} s")
    if "failed" in result:
        sys.exit("run.py: " + "; ".join(result["failed"]))


if __name__ == "__main__":
    main()

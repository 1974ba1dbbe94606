# SPDX-License-Identifier: MIT
"""The charts of a file of results, drawn by gnuplot: python3 charts.py RESULTS.json draws them again."""

import json
import os
import re
import subprocess
import sys

# Okabe and Ito's colours: told apart by everyone, on white
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555", "#b8a900"]

STYLE = """
set terminal svg size {width},{height} font "DejaVu Sans,Arial,sans-serif,14" background "#ffffff" rounded
set output "{file}"
set border 3 linewidth 1 linecolor "#444444"
set tics nomirror out textcolor "#222222"
set grid ytics linewidth 1 linecolor "#dddddd"
set key above Left reverse samplen 2 spacing 1.1
set title font ",16" textcolor "#111111" offset 0,-0.3
"""

SI = {9: "s", 6: "ms", 3: "µs", 0: "ns"}


def in_words(ns):
    power = next((p for p in SI if ns >= 10**p), 0)
    return f"{ns / 10**power:.4g} {SI[power]}"


def gnuplot(file, script, width=960, height=440):
    head = STYLE.format(file=file, width=width, height=height)
    colours = "".join(f'set linetype {i} linecolor "{c}" linewidth 2.5 pointtype 7 pointsize 0.6\n'
                      for i, c in enumerate(COLOURS, 1))  # fmt: skip
    subprocess.run(["gnuplot"], input=head + colours + script, text=True, check=True)


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("_", "\\\\_") + '"'


def short(net):
    """1024-1024-1024-1024-10 -> 4×1024-10"""
    return re.sub(r"\b(\d+)((?:-\1\b){2,})", lambda m: f"{m[0].count('-') + 1}×{m[1]}", net)


def lines(series, title, x, y, also=""):
    """One panel: series is name -> [(x, y)]."""
    data = "".join(
        f"$d{i} << EOD\n" + "".join(f"{a} {b:.6g}\n" for a, b in points) + "EOD\n"
        for i, points in enumerate(series.values())
    )
    plots = ", ".join(
        f"$d{i} with linespoints linetype {i + 1} title {quoted(name)}" for i, name in enumerate(series)
    )
    labels = f"set title {quoted(title)}\nset xlabel {quoted(x)}\nset ylabel {quoted(y)}\n"
    return f"{data}{labels}{also}\nplot {plots}\n"


def series_of(rows, kind, key):
    """train/scaling's rows of one kind: name -> [(x, row's key)], by x."""
    found = {}
    for row in rows:
        if match := re.match(rf"train/scaling/{kind}/(.*)/(\d+)(?:/threads:(\d+))?$", row["name"]):
            threads = match[3] if kind != "threads" else None
            name = short(match[1]) + (f", {threads} threads" if threads else "")
            found.setdefault(name, []).append((int(match[2]), row[key]))
    return {name: sorted(points) for name, points in sorted(found.items())}


def scaled(series, factor):
    return {name: [(x, y * factor) for x, y in points] for name, points in series.items()}


def speed_up(series):
    return {name: [(x, points[0][1] / y) for x, y in points] for name, points in series.items()}


def log_axes(series):
    """Both logarithmic, and a tic at each x that was measured."""
    measured = sorted({x for points in series.values() for x, _ in points})
    tics, ends = ", ".join(map(str, measured)), f"[{measured[0] / 1.2}:{measured[-1] * 1.2}]"
    return f'set logscale xy\nset xrange {ends}\nset xtics ({tics}) font ",11"\nset format y "10^{{%L}}"\n'


FROM_ZERO = 'unset logscale y\nset format y "%g"\nset yrange [0:*]\n'


def draw_scaling(rows, folder):
    for kind, x, key, factor, title, unit in [
        ("batch", "samples in a batch", "ns/sample", 1, "time for one sample", "ns"),
        ("width", "width of the hidden layers", "of_peak", 100, "share of the FMA peak", "%"),
        ("depth", "layers", "ns/layer", 1e-3, "time for one layer", "µs"),
        ("threads", "threads", "ns", 1, "speed-up over one thread", "times"),
    ]:
        time, other = series_of(rows, kind, "ns"), scaled(series_of(rows, kind, key), factor)
        if not time:
            continue
        also, also_right = log_axes(time), "" if kind == "batch" else FROM_ZERO
        if kind == "threads":
            most = max(n for points in time.values() for n, _ in points)
            also, other = FROM_ZERO + f"set xtics 1\nset xrange [0.5:{most + 0.5}]\n", speed_up(other)
        ms = kind == "threads"
        left = lines(
            scaled(time, 1e-6 if ms else 1e-3), "time of a training step", x, "ms" if ms else "µs", also
        )
        right = "unset key\n" + lines(other, title, x, unit, also_right)
        layout = (
            'set multiplot layout 1,2\nset tmargin 6\nset key above center horizontal font ",12" maxrows 2\n'
        )
        gnuplot(os.path.join(folder, kind + ".svg"), layout + left + right + "unset multiplot\n")


def bars(names, series, title, y, also=""):
    """Groups of bars: names of the groups, series name -> a number for each group, or None."""

    def cell(value):
        return "?" if value is None else f"{value:.6g}"

    data = "$d << EOD\n" + "".join(
        " ".join([f'"{name}"'] + [cell(values[i]) for values in series.values()]) + "\n" for i, name in enumerate(names)
    ) + "EOD\n"  # fmt: skip
    plots = ", ".join(
        f"$d using {i + 2}:xtic(1) linetype {i + 1} title {quoted(name)}" for i, name in enumerate(series)
    )
    return (
        f'{data}set datafile missing "?"\nset title {quoted(title)}\nset ylabel {quoted(y)}\n'
        "set style data histograms\nset style histogram clustered gap 1.5\nset style fill solid 0.9 noborder\n"
        f"{also}\nplot {plots}\n"
    )


def draw_products(rows, folder):
    found = {}
    for row in rows:
        if match := re.match(r"cpu/gemm/float/(.*)/NT/(gradus|eigen)$", row["name"]):
            found.setdefault(match[1], {})[match[2]] = 100 * row["of_peak"]
    if found:
        series = {who: [each.get(who.lower()) for each in found.values()] for who in ("gradus", "Eigen")}
        also = "set xtics rotate by 40 right\nset yrange [0:100]\n"
        title = "products A·Bᵀ in float on one thread, M×N×K"
        gnuplot(
            os.path.join(folder, "products.svg"),
            bars([n.replace("x", "×") for n in found], series, title, "% of the FMA peak", also),
        )


def draw_peers(rows, file):
    """Everybody's steps in gradus' own, which is what the first contestant of each row is."""
    groups, points = [], {}
    for row in rows:
        times = {name: found["us"] for name, found in row["contestants"].items() if "us" in found}
        gradus = next(iter(row["contestants"]))
        if gradus not in times:
            continue
        first = times[gradus]
        threads = f"{row['threads']} thread{'s' if row['threads'] > 1 else ''}"
        groups.append(f"{short(row['net'])}\\nbatch {row['batch']}\\n{threads}\\n{in_words(1e3 * first)}")
        for name, us in times.items():
            points.setdefault(name, []).append((len(groups), us / first))
    for i, at in enumerate(points.values()):  # side by side, or they hide each other
        at[:] = [(x + 0.6 * (i / len(points) - 0.5), y) for x, y in at]
    tics = ", ".join(f'"{group}" {i}' for i, group in enumerate(groups, 1))
    also = (
        f'set xtics ({tics}) font ",10"\nset xrange [0.5:{len(groups) + 0.5}]\n'
        "set logscale y\nset grid xtics\n"
        "set key outside right center vertical\nset bmargin 7\n"
    )
    data = "".join(
        f"$d{i} << EOD\n" + "".join(f"{a} {b:.6g}\n" for a, b in at) + "EOD\n"
        for i, at in enumerate(points.values())
    )
    marks = [7, 5, 9, 11, 13, 15, 6, 4, 8, 10, 12, 14, 1, 2]
    plots = ", ".join(
        f"$d{i} with points linetype {i % len(COLOURS) + 1} pointtype {marks[i % len(marks)]} pointsize 1 "
        f"title {quoted(name)}"
        for i, name in enumerate(points)
    )
    if not points:
        return
    first = next(iter(points))
    title = (
        f"set title {quoted('time of a training step, in that of ' + first)}\nset ylabel \"times {first}\"\n"
    )
    gnuplot(file, f"{data}{title}{also}plot {plots}\n", 1280, 560)


def draw_own_steps(rows, file):
    groups = {}
    for row in rows:
        if match := re.match(
            r"train/steps/(.*)/batch:(\d+)/(step|fit)/(cpu|cuda)(?:/threads:(\d+))?$", row["name"]
        ):
            where = "GPU" if match[4] == "cuda" else f"{match[5] or 1} thread{'s' if match[5] else ''}"
            groups.setdefault(f"{short(match[1])}\\nbatch {match[2]}", {})[f"{match[3]}, {where}"] = (
                row["ns"] / 1e3
            )
    everyone = dict.fromkeys(name for times in groups.values() for name in times)
    series = {name: [times.get(name) for times in groups.values()] for name in everyone}
    if groups:
        also = 'set logscale y\nset format y "10^{%L}"\nset xtics font ",11"\n'
        gnuplot(file, bars(list(groups), series, "time of a training step", "µs", also))


def draw(result, stem):
    """Into the folder `stem`."""
    os.makedirs(stem, exist_ok=True)
    draw_scaling(result["rows"], stem)
    draw_products(result["rows"], stem)
    draw_own_steps(result["rows"], os.path.join(stem, "steps.svg"))
    if any("us" in c for row in result.get("peers", {}).get("rows", []) for c in row["contestants"].values()):
        draw_peers(result["peers"]["rows"], os.path.join(stem, "peers.svg"))


if __name__ == "__main__":
    for path in sys.argv[1:]:
        with open(path) as results:
            draw(json.load(results), os.path.splitext(path)[0])

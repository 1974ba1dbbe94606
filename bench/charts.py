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
set terminal svg size {width},{height} font "DejaVu Sans,Helvetica,Arial,sans-serif,14" background "#ffffff" rounded
set output "{file}"
set border 3 linewidth 1 linecolor "#444444"
set tics nomirror out textcolor "#222222"
set grid ytics linewidth 1 linecolor "#dddddd"
set key top left Left reverse samplen 2 spacing 1.1
set title font ",16" textcolor "#111111" offset 0,-0.3
"""

SI = {9: "s", 6: "ms", 3: "µs", 0: "ns"}


def in_words(ns):
    power = next((p for p in SI if ns >= 10**p), 0)
    return f"{ns / 10**power:.3g} {SI[power]}"


def gnuplot(file, script, width=960, height=440):
    head = STYLE.format(file=file, width=width, height=height)
    colours = "".join(f'set linetype {i} linecolor "{c}" linewidth 2.5 pointtype 7 pointsize 0.6\n'
                      for i, c in enumerate(COLOURS, 1))  # fmt: skip
    subprocess.run(["gnuplot"], input=head + colours + script, text=True, check=True)


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("_", "\\\\_") + '"'


def lines(series, title, x, y, also=""):
    """One panel: series is name -> [(x, y)]."""
    data = "".join(
        f"$d{i} << EOD\n" + "".join(f"{a} {b:.6g}\n" for a, b in points) + "EOD\n"
        for i, points in enumerate(series.values())
    )
    plots = ", ".join(f"$d{i} with linespoints linetype {i + 1} title {quoted(name)}" for i, name in enumerate(series))
    return f"{data}set title {quoted(title)}\nset xlabel {quoted(x)}\nset ylabel {quoted(y)}\n{also}\nplot {plots}\n"


def series_of(rows, kind, key):
    """train/scaling's rows of one kind: name -> [(x, row's key)], by x."""
    found = {}
    for row in rows:
        if match := re.match(rf"train/scaling/{kind}/(.*)/(\d+)(?:/threads:(\d+))?$", row["name"]):
            threads = match[3] if kind != "threads" else None
            name = match[1] + (f", {threads} threads" if threads else "")
            found.setdefault(name, []).append((int(match[2]), row[key]))
    return {name: sorted(points) for name, points in sorted(found.items())}


def scaled(series, factor):
    return {name: [(x, y * factor) for x, y in points] for name, points in series.items()}


def speed_up(series):
    return {name: [(x, points[0][1] / y) for x, y in points] for name, points in series.items()}


LOG = "set logscale xy\nset format x \"%.0f\"\nset format y \"%g\"\nset yrange [*:*]\n"
FLAT = "set format y \"%g\"\nunset logscale y\nset yrange [0:*]\n"


def pair(file, left, right):
    gnuplot(file, "set multiplot layout 1,2\nset key font \",12\"\n" + left + "unset key\n" + right + "unset multiplot\n")


def draw_scaling(rows, folder):
    for kind, unit, key, title in [("batch", "samples in a batch", "ns/sample", "cost of one sample"),
                                   ("width", "width of the hidden layers", "of_peak", "share of the FMA peak"),
                                   ("depth", "layers", "ns/layer", "cost of one layer"),
                                   ("threads", "threads", "ns", "speed-up")]:  # fmt: skip
        time, other = series_of(rows, kind, "ns"), series_of(rows, kind, key)
        if not time:
            continue
        left = lines(scaled(time, 1e-3), f"time of a training step against {kind}", unit, "µs", LOG)
        if kind == "width":
            right = lines(scaled(other, 100), title, unit, "%", LOG + FLAT)
        elif kind == "threads":
            left = lines(scaled(time, 1e-6), f"time of a training step against {kind}", unit, "ms", "set xtics 1\n" + FLAT)
            right = lines(speed_up(other), title, unit, "times one thread", FLAT)
        elif kind == "batch":
            right = lines(other, title, unit, "ns", LOG)
        else:
            right = lines(scaled(other, 1e-3), title, unit, "µs", LOG + FLAT)
        pair(os.path.join(folder, kind + ".svg"), left, right)


def bars(names, series, title, y, also=""):
    """Groups of bars: names of the groups, series name -> a number for each group, or None."""
    def cell(value):
        return "?" if value is None else f"{value:.6g}"

    data = "$d << EOD\n" + "".join(
        " ".join([quoted(name)] + [cell(values[i]) for values in series.values()]) + "\n" for i, name in enumerate(names)
    ) + "EOD\n"  # fmt: skip
    plots = ", ".join(f"$d using {i + 2}:xtic(1) linetype {i + 1} title {quoted(name)}" for i, name in enumerate(series))
    return (
        f"{data}set datafile missing \"?\"\nset title {quoted(title)}\nset ylabel {quoted(y)}\n"
        f"set style data histograms\nset style histogram clustered gap 1.5\nset style fill solid 0.9 noborder\n{also}\nplot {plots}\n"
    )


def draw_products(rows, folder):
    found = {}
    for row in rows:
        if match := re.match(r"cpu/gemm/float/(.*)/NT/(gradus|eigen)$", row["name"]):
            found.setdefault(match[1], {})[match[2]] = 100 * row["of_peak"]
    if found:
        series = {who: [each.get(who.lower()) for each in found.values()] for who in ("gradus", "Eigen")}
        also = "set xtics rotate by 40 right\nset yrange [0:100]\nset key top left horizontal\n"
        title = "products A·Bᵀ in float on one thread, M×N×K"
        gnuplot(os.path.join(folder, "products.svg"), bars([n.replace("x", "×") for n in found], series, title, "% of the FMA peak", also))


def draw_steps(result, folder):
    """Everybody's steps, by one thread and by all; without peers, ours."""
    groups, everyone = {}, {}
    for row in result.get("peers", {}).get("rows", []):
        group = f"{row['net']}\\nbatch {row['batch']}, {row['threads']} thread{'s' if row['threads'] > 1 else ''}"
        groups[group] = {name: c["us"] for name, c in row["contestants"].items() if "us" in c}
    for row in [] if groups else result["rows"]:
        if match := re.match(r"train/steps/(.*)/batch:(\d+)/(step|fit)/(cpu|cuda)(?:/threads:(\d+))?$", row["name"]):
            where = "GPU" if match[4] == "cuda" else f"{match[5] or 1} thread{'s' if match[5] else ''}"
            groups.setdefault(f"{match[1]}\\nbatch {match[2]}", {})[f"{match[3]}, {where}"] = row["ns"] / 1e3
    for times in groups.values():
        everyone |= dict.fromkeys(times)
    if groups:
        series = {name: [times.get(name) for times in groups.values()] for name in everyone}
        also = "set logscale y\nset key outside right top vertical\nset xtics font \",11\"\n"
        height = 520
        gnuplot(os.path.join(folder, "steps.svg"), bars(list(groups), series, "a training step", "µs", also), 1280, height)


def draw(result, stem):
    """Into the folder `stem`."""
    os.makedirs(stem, exist_ok=True)
    draw_scaling(result["rows"], stem)
    draw_products(result["rows"], stem)
    draw_steps(result, stem)


if __name__ == "__main__":
    for path in sys.argv[1:]:
        with open(path) as results:
            draw(json.load(results), os.path.splitext(path)[0])

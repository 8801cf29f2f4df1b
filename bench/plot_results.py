#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws docs/images/performance-*.svg from saved figures: the same bytes for the same figures.

    plot_results.py [--out FOLDER] [FILE.json]...

FILE is what `scripts/bench-peers --save` or `paperkin bench --growth FROM:TO --json` wrote; default: the newest *-peers.json in
bench/results. Text stays text; its grey is legible on white and on black, and nothing is painted behind it.
"""
import argparse
import json
import statistics
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import FuncFormatter, NullLocator  # noqa: E402

HERE = Path(__file__).resolve().parent
GREY, FAINT = "#7d848c", "#7d848c55"
OURS, THEIRS = "#2f81f7", "#d9822b"
SERIES = ("#2f81f7", "#d9822b", "#2da06a", "#c2559d")

plt.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "paperkin", "font.family": "sans-serif", "font.size": 10,
    "text.color": GREY, "axes.labelcolor": GREY, "axes.edgecolor": FAINT, "xtick.color": GREY, "ytick.color": GREY,
    "axes.facecolor": "none", "axes.spines.top": False, "axes.spines.right": False, "savefig.transparent": True})


def seconds_text(seconds):
    if seconds < 0.0995:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 0.995 else f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:,.0f} s"


def axis_text(seconds, _=None):
    if seconds < 0.9:
        return f"{1000 * seconds:g} ms"
    return f"{seconds:g} s" if seconds < 1e4 else f"{seconds:.0e} s"


def ratio_text(ratio):
    return f"{ratio:.1f}×" if ratio < 9.95 else f"{ratio:,.0f}×"


def task_title(task):
    kind, value = task.split(":")
    return f"every pair with cosine ≥ {value}" if kind == "join" else f"the {value} nearest of every row"


def caption(figure, text):
    figure.supxlabel(text, x=0.01, ha="left", fontsize=9)


def save(figure, path):
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    print(path)


# --- against peers ---

def peer_rows(results):
    """[(title, colour, hollow, {task: (seconds, extrapolated)})], the slowest kinds last."""
    rows = []
    for key, title in results["titles"].items():
        runs = results["paperkin"].get(key)
        if runs and key in ("plan", "one-thread"):
            rows.append((title, OURS, False, {task: (statistics.median(line["seconds"] for line in lines), False)
                                              for task, lines in runs.items()}))
    for told in results["peers"].values():
        variants = {}
        for line in told["tasks"]:
            variants.setdefault(line.get("variant"), []).append(line)
        for name, lines in variants.items():
            approximate = "dimension" in lines[0]
            title = told["peer"] + (f", {name} dimensions" if approximate else f", {name}" if name else "")
            if not approximate:
                title += f", {told['threads']} thread" + "s" * (told["threads"] > 1)
            rows.append((title, THEIRS, approximate, {line["task"]: (line["seconds"], line["share"] < 1) for line in lines}))
    return rows


def found_text(results, title, task):
    """How much an approximate peer finds; "" for others."""
    for told in results["peers"].values():
        for line in told["tasks"]:
            if line.get("dimension") and line["task"] == task and title.endswith(f", {line['variant']} dimensions"):
                return f", finds {100 * line['recall']:.0f}%" if line.get("recall") is not None else ""
    return ""


def draw_peers(results, path):
    rows, tasks = peer_rows(results), results["tasks"]
    figure, panels = plt.subplots(len(tasks), 1, figsize=(8.6, 0.5 + len(tasks) * (0.62 + 0.25 * len(rows))), sharex=True,
                                  layout="constrained", squeeze=False)
    every = [figures[task][0] for _, _, _, figures in rows for task in tasks if task in figures]
    for panel, task in zip(panels[:, 0], tasks):
        shown = [row for row in rows if task in row[3]]
        base = shown[0][3][task][0]
        for place, (title, colour, hollow, figures) in enumerate(shown):
            seconds, extrapolated = figures[task]
            panel.plot([min(every) / 1.6, seconds], [place, place], color=colour, linewidth=1.2, alpha=0.45)
            panel.plot(seconds, place, "o", color=colour, markersize=6, markerfacecolor="none" if hollow else colour)
            ratio = f"  {ratio_text(seconds / base)}" if place else ""
            panel.annotate(("≈ " if extrapolated else "") + seconds_text(seconds) + ratio + found_text(results, title, task),
                           (seconds, place), xytext=(9, 0), textcoords="offset points", va="center", fontsize=9)
        panel.set_yticks(range(len(shown)), [row[0] for row in shown])
        panel.tick_params(axis="y", length=0)
        panel.set_ylim(len(shown) - 0.4, -0.6)
        panel.set_title(task_title(task), loc="left", fontsize=10.5, color=GREY, fontweight="bold")
        panel.spines["left"].set_visible(False)
        panel.grid(axis="x", color=FAINT, linewidth=0.5)
    bottom = panels[-1, 0]
    bottom.set_xscale("log")
    bottom.xaxis.set_minor_locator(NullLocator())
    bottom.set_xlim(min(every) / 1.6, max(every) * 9)
    bottom.xaxis.set_major_formatter(FuncFormatter(axis_text))
    size, machine = results["size"], results["machine"]
    caption(figure, f"{size['rows']:,} rows, {size['columns']:,} terms; {machine['cpu']}, {results['threads']} threads. "
                    "Hollow: approximate; ≈ extrapolated from a part; × times paperkin's time")
    save(figure, path)


# --- growth ---

def growth_series(growth):
    """[(title, [(rows, low, high, [seconds of each run])])]"""
    series = {}
    for result in growth["results"]:
        title = f"top-{result['k']}" if result["work"] == "top_k" else f"cosine ≥ {result['threshold']:g}"
        # What the plan does not estimate, finding equal rows and sorting, is taken off every run.
        parts = result["seconds"]
        beside = parts["distinct"] + parts["plan"] + parts["sort"]
        runs = [max(seconds - beside, 1e-6) for seconds in result["run_seconds"]]
        band = result["estimated_seconds"]
        series.setdefault(title, []).append((result["rows"], band["low"], band["high"], runs))
    return [(title, sorted(points)) for title, points in series.items()]


def draw_growth(growth, path):
    figure, panel = plt.subplots(figsize=(8.6, 4.4), layout="constrained")
    series = growth_series(growth)
    for (title, points), colour in zip(series, SERIES):
        rows = [point[0] for point in points]
        middle = [statistics.median(point[3]) for point in points]
        panel.fill_between(rows, [point[1] for point in points], [point[2] for point in points], color=colour, alpha=0.18,
                           linewidth=0)
        panel.vlines(rows, [min(point[3]) for point in points], [max(point[3]) for point in points], color=colour, linewidth=1.2)
        panel.plot(rows, middle, "o-", color=colour, markersize=4.5, linewidth=1.4)
        panel.annotate(f"{title}, {seconds_text(middle[-1])}", (rows[-1], middle[-1]), xytext=(9, 0), textcoords="offset points",
                       va="center", color=colour)
    rows = [point[0] for point in series[0][1]]
    end = min(statistics.median(points[-1][3]) for _, points in series) / 2.5  # below all of them
    panel.plot([rows[0], rows[-1]], [end * (rows[0] / rows[-1]) ** 2, end], ":", color=GREY, linewidth=1)
    panel.annotate("rows squared", (rows[-1], end), xytext=(9, 0), textcoords="offset points", va="center", fontsize=9)
    panel.set_xscale("log", base=2)
    panel.set_yscale("log")
    panel.set_xlim(rows[0] / 1.15, rows[-1] * 1.9)
    panel.set_xticks(rows, [f"{n >> 10}k" if n % 1024 == 0 else f"{n:,}" for n in rows])
    panel.yaxis.set_major_formatter(FuncFormatter(axis_text))
    panel.yaxis.set_minor_locator(NullLocator())
    panel.grid(axis="y", color=FAINT, linewidth=0.5)
    machine = growth.get("machine", {})
    panel.xaxis.set_minor_locator(NullLocator())
    caption(figure, f"Generated rows; {machine.get('processor', '')}, {machine.get('threads', '')} threads. "
                    "Points: medians, strokes: all runs, bands: the plan's estimate beforehand")
    save(figure, path)


def read(paths):
    """(figures against peers, figures of growth): the last of each kind, or None."""
    peers = growth = None
    for path in paths:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.get("kind") == "peers":
            peers, growth = content, content.get("growth") or growth
        elif content.get("growth"):
            growth = content
        else:
            sys.exit(f"{path}: neither of scripts/bench-peers --save nor of paperkin bench --growth --json")
    return peers, growth


def main():
    parser = argparse.ArgumentParser(description="Draws docs/images/performance-*.svg from saved figures.")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE.json")
    parser.add_argument("--out", type=Path, default=HERE.parent / "docs" / "images")
    arguments = parser.parse_args()
    files = arguments.files or sorted((HERE / "results").glob("*-peers.json"))[-1:]
    if not files:
        sys.exit("no saved figures: run scripts/bench-peers --save first, or name a file")
    peers, growth = read(files)
    arguments.out.mkdir(parents=True, exist_ok=True)
    if peers:
        draw_peers(peers, arguments.out / "performance-peers.svg")
    if growth:
        draw_growth(growth, arguments.out / "performance-growth.svg")


if __name__ == "__main__":
    main()

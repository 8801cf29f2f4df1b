#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures on real papers how good links, clusters and verdicts are, and prints one table with baselines beside.

scripts/bench-quality builds what it needs and calls it. Every baseline is measured in the same run, on the same papers
or the same vectors, with seeds that are fixed. The table goes to bench/results/<date>-quality.json and into
docs/quality.md between its markers; with --quick or --only it is printed, and nothing is written.
"""
import argparse
import datetime
import json
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

SECTIONS = ("sizes", "agreement", "labels", "stability", "links", "topics", "sources", "verdicts", "speed")


def arguments_of():
    parser = argparse.ArgumentParser(prog="scripts/bench-quality", description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("PAPERKIN_SHARED_DIR") or ROOT.parent / "shared"),
                        help="folder of real data (default: $PAPERKIN_SHARED_DIR, or ../shared)")
    parser.add_argument("--quick", action="store_true", help="one month, fewer repeats, smaller data; writes nothing")
    parser.add_argument("--only", default="", metavar="S,...", help=f"of {', '.join(SECTIONS)}; writes nothing")
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=4, help="of paperkin and of its peers (default 4)")
    arguments = parser.parse_args()
    arguments.sections = arguments.only.split(",") if arguments.only else list(SECTIONS)
    unknown = set(arguments.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"--only: unknown section {', '.join(sorted(unknown))}; expected {', '.join(SECTIONS)}")
    if not (arguments.shared / "eval" / "topics.tsv").is_file():
        sys.exit(f"{arguments.shared}: no real data there; say where it is with --shared DIR")
    missing = [name for name in ("paperkin", "bench_leiden", "bench_verdicts") if not (Path(arguments.bin) / name).is_file()]
    if missing:
        parser.error(f"--bin {arguments.bin}: no {', '.join(missing)} there; scripts/bench-quality builds what is needed")
    return arguments


def measure_all(harness, wanted):
    """(measures, drawn labels, their text with titles)"""
    import sections
    found, drawn, text = [], [], ""
    months, clusterings = [], {}
    if {"sizes", "agreement", "stability"} & set(wanted):
        for name in harness.months:
            harness.note(f"{name}: clustering")
            months.append(sections.Month(harness, name))
            clusterings[name] = harness.cluster([months[-1].vectors.path])
    steps = {"sizes": lambda: sections.month_sizes(months, clusterings),
             "agreement": lambda: sections.agreement(harness, months, clusterings),
             "stability": lambda: sections.stability(harness, months, clusterings),
             "links": lambda: sections.link_measures(harness), "topics": lambda: sections.topic_cluster_measures(harness),
             "sources": lambda: sections.cross_source(harness), "verdicts": lambda: sections.verdicts(harness),
             "speed": lambda: sections.speed(harness)}
    for name in SECTIONS:
        if name in wanted and name in steps:
            found += steps[name]()
        elif name in wanted:
            harness.note("labels")
            drawn, text = sections.drawn_labels(harness, harness.months[-1])
    return found, drawn, text


def main():
    arguments = arguments_of()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(arguments.threads)  # before NumPy is loaded
    import end_to_end
    import report
    from harness import Harness
    load = os.getloadavg()[0] / len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="paperkin-quality-") as folder:
        harness = Harness(arguments.bin, arguments.shared, folder, arguments.threads, arguments.quick)
        measures, drawn, text = measure_all(harness, arguments.sections)
        harness.note("done")
    host = end_to_end.machine("")
    packages = {name: __import__(name).__version__ for name in ("numpy", "scipy", "sklearn", "igraph")}
    told = (f"{host['cpu']}, {arguments.threads} threads; scikit-learn {packages['sklearn']}, igraph {packages['igraph']}.")
    if load > 0.5:
        told += f" The machine was not idle (load {load:.1f} a core at the start): take times with care."
    print(told)
    print("\n" + report.table_text(measures) + "\n")
    print(report.notes_text(measures))
    if text:
        print(f"\nThreads of {harness.months[-1]}, evenly spread over their sizes, with some of their titles:\n\n{text}")
    if arguments.quick or arguments.only:
        return
    told_all = {"threads": arguments.threads, "load": load, "machine": host, "packages": packages,
                "labels": [{"papers": int(size), "label": label} for size, label in drawn]}
    for path in write_results(ROOT, report, measures, told_all, report.made_section(measures, drawn, told)):
        print(f"written: {path.relative_to(ROOT)}")


def write_results(root, report, measures, told, section):
    """The figures as JSON and on the page; the paths of both."""
    path = root / "bench" / "results" / f"{datetime.date.today().isoformat()}-quality.json"
    path.write_text(json.dumps({**told, "measures": report.as_json(measures)}, indent=1, ensure_ascii=False) + "\n",
                    encoding="utf-8")
    page = root / "docs" / "quality.md"
    page.write_text(report.replace_section(page.read_text(encoding="utf-8"), section), encoding="utf-8")
    return path, page


if __name__ == "__main__":
    main()

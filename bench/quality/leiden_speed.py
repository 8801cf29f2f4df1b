# SPDX-License-Identifier: Apache-2.0
"""Times Leiden beside igraph's: the same graph, objective, resolution and two iterations, one thread each.

usage: leiden_speed.py BENCH_LEIDEN [--repeats N] [--rows N] [--corpus FILE --paperkin PROGRAM]

The graphs join each row with its 10 nearest: of generated rows (134,000), and of a corpus where one is given. The two
take turns, repeat after repeat with another seed, so that a busy moment of the machine meets both; medians are printed
side by side, with the qualities recomputed here from the memberships. Time is that of clustering alone: neither the
graph's making nor its reading counts, for either. Needs NumPy and igraph.
"""
import argparse
import os
import random
import statistics
import subprocess
import tempfile
import time

import igraph
import numpy

EDGE = numpy.dtype([("a", "<u4"), ("b", "<u4"), ("weight", "<f8")])
SETTINGS = (("modularity", 1.0), ("modularity", 5.0), ("cpm", 0.02), ("cpm", 0.05))


def read_graph(path):
    n_nodes, _ = numpy.fromfile(path, dtype="<u8", count=2)
    return int(n_nodes), numpy.fromfile(path, dtype=EDGE, offset=16)


def quality(n_nodes, edges, membership, objective, resolution):
    inside = edges["weight"][membership[edges["a"]] == membership[edges["b"]]].sum()
    if objective == "cpm":
        sizes = numpy.bincount(membership).astype(float)
        return inside - resolution * (sizes * (sizes - 1) / 2).sum()
    strengths = sum(numpy.bincount(edges[end], edges["weight"], n_nodes) for end in ("a", "b"))
    total = edges["weight"].sum()
    return inside / total - resolution * ((numpy.bincount(membership, strengths) / (2 * total)) ** 2).sum()


def run_igraph(graph, weights, objective, resolution, seed):
    random.seed(seed)
    name = "CPM" if objective == "cpm" else objective
    begin = time.perf_counter()
    found = graph.community_leiden(objective_function=name, weights=weights, resolution=resolution, n_iterations=2)
    return time.perf_counter() - begin, numpy.asarray(found.membership)


def run_paperkin(bench, path, objective, resolution, seed):
    clusters = path + ".clusters"
    said = subprocess.run([bench, "run", path, objective, repr(resolution), "2", str(seed), "1", "1", clusters],
                          check=True, capture_output=True, text=True).stdout
    figures = dict(line.split("\t") for line in said.splitlines())
    return float(figures["seconds"]), numpy.loadtxt(clusters, dtype=numpy.int64, ndmin=1)


def compare(bench, name, path, repeats):
    n_nodes, edges = read_graph(path)
    graph = igraph.Graph(n=n_nodes, edges=numpy.stack([edges["a"], edges["b"]], 1))
    weights = edges["weight"].tolist()
    print(f"\n{name}: {n_nodes:,} nodes, {len(edges):,} edges; medians of {repeats}")
    print(f"{'objective':<12}{'resolution':>10}{'igraph s':>10}{'paperkin s':>12}{'ratio':>7}"
          f"{'igraph quality':>16}{'paperkin quality':>18}{'by':>9}{'clusters':>16}")
    for objective, resolution in SETTINGS:
        theirs, ours = [], []
        for seed in range(repeats):
            for into, (seconds, membership) in ((theirs, run_igraph(graph, weights, objective, resolution, seed)),
                                                (ours, run_paperkin(bench, path, objective, resolution, seed))):
                value = quality(n_nodes, edges, membership, objective, resolution)
                into.append((seconds, value, int(membership.max()) + 1))
        (their_time, their_quality, their_n), (our_time, our_quality, our_n) = (
            [statistics.median(column) for column in zip(*runs)] for runs in (theirs, ours))
        print(f"{objective:<12}{resolution:>10g}{their_time:>10.3f}{our_time:>12.3f}{our_time / their_time:>7.2f}"
              f"{their_quality:>16.6g}{our_quality:>18.6g}{100 * (our_quality / their_quality - 1):>+8.2f}%"
              f"{f'{their_n:g} / {our_n:g}':>16}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bench", help="build/release/bin/bench_leiden")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rows", type=int, default=134000, help="of the generated graph; 0: none")
    parser.add_argument("--corpus", help="papers, as paperkin reads them")
    parser.add_argument("--paperkin", help="the program, to weigh the corpus")
    given = parser.parse_args()
    print(f"igraph {igraph.__version__}, one thread each")
    with tempfile.TemporaryDirectory() as folder:
        path, matrix = os.path.join(folder, "graph"), os.path.join(folder, "rows.npz")
        if given.corpus:
            subprocess.run([given.paperkin, "vectorize", "--features", "related", "-q", "-o", matrix, given.corpus],
                           check=True)
            subprocess.run([given.bench, "graph", path, matrix], check=True)
            compare(given.bench, os.path.basename(given.corpus), path, given.repeats)
        if given.rows:
            subprocess.run([given.bench, "graph", path, str(given.rows)], check=True)
            compare(given.bench, "generated rows", path, given.repeats)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Precision at 10 of related links against reading lists that people made.

    link_quality.py --program build/release/bin/paperkin [--shared DIR]

Two papers belong together when an editor listed them under one topic (eval/topics.tsv in the folder of real data). For
each listed paper its ten nearest among the listed ones are taken, by cosine, and the share that belongs with it is
averaged. Document frequencies are those of the listed papers and of the big corpus together. Needs NumPy and SciPy.
"""
import argparse
import collections
import os
import subprocess
import tempfile

import numpy as np
import scipy.sparse

CASES = [("plain", ["--features", "plain"]),
         ("title 3, sublinear tf", ["--features", "plain", "--title-weight", "3", "--sublinear"]),
         ("related, the default", ["--features", "related"])]


def topics_of(path):
    """The sets of ids that stand under one topic of one list."""
    topics = collections.defaultdict(set)
    with open(path, encoding="utf-8") as file:
        next(file)
        for line in file:
            name, topic, paper = line.rstrip("\n").split("\t")
            topics[name, topic].add(paper)
    return list(topics.values())


def vectors_of(program, options, inputs, folder):
    path = os.path.join(folder, "x.npz")
    subprocess.run([program, "vectorize", "-q", *options, "-o", path, *inputs], check=True)
    with open(os.path.join(folder, "x.ids.txt"), encoding="utf-8") as file:
        return scipy.sparse.load_npz(path), file.read().split("\n")[:-1]


def precision_at_10(matrix, ids, topics):
    rows = {paper: row for row, paper in enumerate(ids)}
    listed = sorted({rows[paper] for topic in topics for paper in topic if paper in rows})
    place = {row: k for k, row in enumerate(listed)}
    kin = [set() for _ in listed]
    for topic in topics:
        members = {place[rows[paper]] for paper in topic if paper in rows}
        for member in members:
            kin[member] |= members - {member}
    chosen = matrix[listed]
    cosines = (chosen @ chosen.T).toarray()
    np.fill_diagonal(cosines, -1)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :10]
    shares = [np.mean([other in kin[k] for other in nearest[k]]) for k in range(len(listed)) if kin[k]]
    return float(np.mean(shares)), len(shares)


def main():
    parser = argparse.ArgumentParser(description="Precision at 10 of related links against human reading lists.")
    parser.add_argument("--program", required=True)
    parser.add_argument("--shared", default=os.environ.get("PAPERKIN_SHARED_DIR", "../shared"))
    arguments = parser.parse_args()
    topics = topics_of(os.path.join(arguments.shared, "eval", "topics.tsv"))
    inputs = [os.path.join(arguments.shared, *parts) for parts in
              (("eval", "topics.jsonl.zst"), ("corpus", "arxiv-2025.jsonl.zst"))]
    print(f"{'weighting':<24}  precision at 10   papers")
    for name, options in CASES:
        with tempfile.TemporaryDirectory() as folder:
            precision, n_papers = precision_at_10(*vectors_of(arguments.program, options, inputs, folder), topics)
        print(f"{name:<24}  {precision:15.4f}  {n_papers:7,}", flush=True)


if __name__ == "__main__":
    main()

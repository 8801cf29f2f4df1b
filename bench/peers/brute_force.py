#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds paperkin's results, bit for bit, against brute force in integers; written apart from its C code.

    brute_force.py MATRIX.npz --exact FOLDER [--join T]... [--top-k K]

Weights are floor(x * 2^30), a score is the sum of their products over shared columns, both in 64-bit integers (include/paperkin/
similarity.h). A matrix of some thousand rows is compared whole, of a larger one a sample: rows spread evenly, and as many that the
joins found partners for, each with all others. Prints a JSON line a task; a difference ends the program with status 1.
"""
import math
import sys
from fractions import Fraction

import numpy as np
import peer
import scipy.sparse

ALL_ROWS, SAMPLE_ROWS, BLOCK_ROWS = 6000, 512, 64
ONE = 1 << 60


def fixed_point(matrix):
    """The weights; a row whose squares add up to more than 2^60 is shrunk by their root, rounded up."""
    weights = np.floor(matrix.data * float(1 << 30)).astype(np.int64)
    running = np.concatenate([[0], np.cumsum((weights * weights).astype(np.uint64), dtype=np.uint64)])
    squares = running[matrix.indptr[1:]] - running[matrix.indptr[:-1]]  # modulo 2^64, below which every row's sum is
    for row in np.flatnonzero(squares > ONE):
        begin, end = matrix.indptr[row], matrix.indptr[row + 1]
        root = math.isqrt(int(squares[row]) - 1) + 1
        weights[begin:end] = (weights[begin:end] << 30) // root
    fixed = scipy.sparse.csr_matrix((weights, matrix.indices, matrix.indptr), shape=matrix.shape)
    fixed.eliminate_zeros()
    return fixed


def sample(n_rows, results):
    if n_rows <= ALL_ROWS:
        return np.arange(n_rows)
    paired = np.unique(np.concatenate([np.concatenate([pairs["i"], pairs["j"]]) for pairs in results] or [[]])).astype(np.int64)
    chosen = paired[peer.spread(paired.size, SAMPLE_ROWS // 2)] if paired.size else paired
    return np.unique(np.concatenate([peer.spread(n_rows, SAMPLE_ROWS // 2), chosen]))


def scores_of(fixed, transposed, rows):
    """(row, scores of that row with all rows, itself 0), block by block."""
    for begin in range(0, rows.size, BLOCK_ROWS):
        block = rows[begin:begin + BLOCK_ROWS]
        scores = (fixed[block] @ transposed).toarray()
        for row, line in zip(block, scores):
            line[row] = 0
            yield row, line


def reach_of(threshold):
    """ceil(t * 2^60), t the double that the text means."""
    return math.ceil(Fraction(float(threshold)) * ONE)


def expected_pairs(row, scores, reach):
    others = np.flatnonzero(scores >= reach)
    records = np.zeros(others.size, dtype=peer.RECORD)
    records["score"], records["i"], records["j"] = scores[others], np.minimum(row, others), np.maximum(row, others)
    return records


def expected_neighbours(row, scores, k):
    others = np.flatnonzero(scores > 0)
    if others.size > k:  # all that tie with the k-th stay in, ordered below
        others = others[scores[others] >= np.partition(scores[others], others.size - k)[others.size - k]]
    others = others[np.lexsort((others, -scores[others]))][:k]
    records = np.zeros(others.size, dtype=peer.RECORD)
    records["score"], records["i"], records["j"] = scores[others], row, others
    return records


def in_order(pairs):
    return pairs[np.lexsort((pairs["j"], pairs["i"], -pairs["score"].astype(np.int64)))]


def check_order(pairs, task):
    """The whole list is sorted, and no pair is there twice."""
    keys = pairs["i"].astype(np.int64) * (1 << 32) + pairs["j"]
    if not np.array_equal(pairs, in_order(pairs)) or np.unique(keys).size != keys.size or not (pairs["i"] < pairs["j"]).all():
        sys.exit(f"{task}: paperkin's pairs are not in their order")


def must_equal(found, expected, task):
    if found.tobytes() != expected.tobytes():
        sys.exit(f"{task}: paperkin found {found.size} pairs of the sampled rows, brute force {expected.size}; "
                 "they are not the same bits")


def main():
    arguments = peer.arguments(__doc__)
    fixed = fixed_point(peer.read_matrix(arguments.matrix, np.float64))
    transposed = fixed.T.tocsr()
    n_rows = fixed.shape[0]
    joins = {text: peer.exact_result(arguments.exact, f"join:{text}") for text in arguments.join}
    nearest = peer.exact_result(arguments.exact, f"top:{arguments.top_k}") if arguments.top_k else None
    rows = sample(n_rows, list(joins.values()))
    expected = {text: [] for text in joins}
    expected_nearest = []
    for row, scores in scores_of(fixed, transposed, rows):
        for text in joins:
            expected[text].append(expected_pairs(row, scores, reach_of(text)))
        if arguments.top_k:
            expected_nearest.append(expected_neighbours(row, scores, arguments.top_k))
    for text, pairs in joins.items():
        check_order(pairs, f"join:{text}")
        ours = pairs[np.isin(pairs["i"], rows) | np.isin(pairs["j"], rows)]
        must_equal(in_order(ours), in_order(np.unique(np.concatenate(expected[text]))), f"join:{text}")
        peer.emit(task=f"join:{text}", rows=int(rows.size), pairs=int(ours.size))
    if arguments.top_k:
        ours = nearest[np.isin(nearest["i"], rows)]
        must_equal(ours, np.concatenate(expected_nearest), f"top:{arguments.top_k}")
        peer.emit(task=f"top:{arguments.top_k}", rows=int(rows.size), pairs=int(ours.size))


if __name__ == "__main__":
    main()

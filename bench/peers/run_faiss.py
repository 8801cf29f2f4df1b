#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""FAISS: IndexFlatIP over a dense reduction of the rows, since it compares dense vectors: approximate, and how much that loses.

The reduction is scikit-learn's TruncatedSVD (latent semantic analysis) with two power iterations, rows scaled to length 1 again;
its time is told apart. A sample of rows is searched for among all; the time is extrapolated (a flat search takes as long for
every row).

Recall: the share of the exact result that was found. Precision: the share of what was found that is in the exact result.
"""
import faiss
import numpy as np
import peer
from sklearn.decomposition import TruncatedSVD

N_QUERIES = 8192


def reduce(matrix, dimension):
    dense = TruncatedSVD(dimension, n_iter=2, random_state=0).fit_transform(matrix).astype(np.float32)
    lengths = np.linalg.norm(dense, axis=1, keepdims=True)
    return np.ascontiguousarray(dense / np.maximum(lengths, 1e-12))


def overlap(found, exact, n_rows):
    """(recall, precision) of keys row * n + column; (None, None) where there is nothing to find."""
    found_keys, exact_keys = found[0] * n_rows + found[1], exact[0] * n_rows + exact[1]
    if not exact_keys.size:
        return None, None
    common = np.isin(exact_keys, found_keys).sum()
    return float(common / exact_keys.size), float(common / found_keys.size) if found_keys.size else None


def search(index, dense, rows, k):
    _, columns = index.search(dense[rows], k + 1)
    off = columns != rows[:, None]
    off[off.all(axis=1), k] = False  # where a row did not find itself, one too many was found
    return np.repeat(rows, off.sum(axis=1)), columns[off].astype(np.int64)


def search_range(index, dense, rows, threshold):
    bounds, _, columns = index.range_search(dense[rows], threshold)
    row = np.repeat(rows, np.diff(bounds.astype(np.int64)))
    off = columns != row
    return row[off], columns[off].astype(np.int64)


def main():
    arguments = peer.arguments(__doc__)
    faiss.omp_set_num_threads(arguments.threads)
    matrix = peer.read_matrix(arguments.matrix)
    n_rows = matrix.shape[0]
    peer.emit(peer="FAISS", version=faiss.__version__, precision="float32", threads=arguments.threads)
    rows = peer.spread(n_rows, N_QUERIES)
    share = rows.size / n_rows
    for dimension in map(int, arguments.dimensions.split(",")):
        dimension = min(dimension, matrix.shape[1] - 1)
        reduce_seconds, dense = peer.timed(lambda: reduce(matrix, dimension))
        index = faiss.IndexFlatIP(dimension)
        index.add(dense)
        told = dict(variant=str(dimension), dimension=dimension, reduce_seconds=reduce_seconds, share=share)
        for text in arguments.join:
            threshold = float(text)
            seconds, found = peer.timed(lambda: search_range(index, dense, rows, threshold))
            exact = peer.of_rows(rows, peer.both_directions(peer.exact_result(arguments.exact, f"join:{text}")), n_rows)
            recall, precision = overlap(found, exact, n_rows)
            peer.emit(task=f"join:{text}", seconds=seconds / share, recall=recall, precision=precision, **told)
        if arguments.top_k:
            k = arguments.top_k
            seconds, found = peer.timed(lambda: search(index, dense, rows, k))
            exact = peer.of_rows(rows, peer.neighbours(peer.exact_result(arguments.exact, f"top:{k}")), n_rows)
            recall, precision = overlap(found, exact, n_rows)
            peer.emit(task=f"top:{k}", seconds=seconds / share, recall=recall, precision=precision, **told)


if __name__ == "__main__":
    main()

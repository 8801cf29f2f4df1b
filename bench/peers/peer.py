# SPDX-License-Identifier: Apache-2.0
"""What the programs in this folder share: arguments, the matrix, exact results to be held against, JSON lines.

Each run_*.py is a process of its own, so that threads and memory of one peer do not touch another:

    run_X.py MATRIX.npz --exact FOLDER --threads N [--join T]... [--top-k K]

It prints JSON lines: one that names the peer, then one a task as soon as it is done. `seconds` is for the whole matrix; where
only a part was computed, `share` says which part, and the seconds are extrapolated from it.
"""
import argparse
import json
import time
from pathlib import Path

import numpy as np
import scipy.sparse

RECORD = np.dtype([("score", "<u8"), ("i", "<u4"), ("j", "<u4")])  # what bench_similarity --write writes
SCORE_ONE = float(1 << 60)
# A sum of some hundred products in single precision, and weights rounded to it.
TOLERANCE = 5e-6


def arguments(description):
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("matrix", type=Path)
    parser.add_argument("--exact", type=Path, required=True, help="folder of exact results: join-T.bin, top-K.bin")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--join", type=str, action="append", default=[], metavar="T")
    parser.add_argument("--top-k", type=int, metavar="K")
    parser.add_argument("--dimensions", default="256", help="of a dense reduction, where the peer needs one")
    return parser.parse_args()


def emit(**values):
    print(json.dumps(values), flush=True)


def read_matrix(path, dtype=np.float32):
    """CSR with 32-bit indices, which every peer takes and which are the fastest."""
    matrix = scipy.sparse.load_npz(path)
    return scipy.sparse.csr_matrix((matrix.data.astype(dtype), matrix.indices.astype(np.int32),
                                    matrix.indptr.astype(np.int32)), shape=matrix.shape)


def timed(call):
    """(seconds, result)"""
    begin = time.perf_counter()
    result = call()
    return time.perf_counter() - begin, result


def spread(n_rows, n_wanted):
    """Up to n_wanted row numbers, evenly spread, ascending."""
    return np.unique(np.linspace(0, n_rows - 1, min(n_wanted, n_rows)).astype(np.int64))


def exact_result(folder, task):
    return np.fromfile(folder / (task.replace(":", "-") + ".bin"), dtype=RECORD)


def both_directions(pairs):
    """(row, column, cosine) of each pair and its mirror image."""
    i, j = pairs["i"].astype(np.int64), pairs["j"].astype(np.int64)
    cosine = pairs["score"] / SCORE_ONE
    return np.concatenate([i, j]), np.concatenate([j, i]), np.concatenate([cosine, cosine])


def most_partners(pairs, n_rows):
    """The largest number of pairs that one row is in."""
    return int((np.bincount(pairs["i"], minlength=n_rows) + np.bincount(pairs["j"], minlength=n_rows)).max(initial=0))


def of_rows(rows, triple, n_rows):
    """The entries of (row, column, cosine) whose row is wanted."""
    wanted = np.zeros(n_rows, dtype=bool)
    wanted[rows] = True
    keep = wanted[triple[0]]
    return tuple(part[keep] for part in triple)


def join_agrees(found, exact, threshold, n_rows):
    """Whether the same pairs were found, but for those that rounding may carry over the threshold; and how many those are.

    Both are (row, column, cosine); a row with itself does not count.
    """
    def keyed(triple):
        off = triple[0] != triple[1]
        return triple[0][off].astype(np.int64) * n_rows + triple[1][off], triple[2][off]

    (found_keys, found_cosines), (exact_keys, exact_cosines) = keyed(found), keyed(exact)
    odd = np.concatenate([found_cosines[~np.isin(found_keys, exact_keys)], exact_cosines[~np.isin(exact_keys, found_keys)]])
    return bool((np.abs(odd - threshold) <= TOLERANCE).all()), int(odd.size)


def best_of_rows(rows, triple, k, n_rows):
    """Row by row the k highest cosines, itself left out, filled up with 0: an array of len(rows) x k."""
    row, column, cosine = of_rows(rows, triple, n_rows)
    keep = row != column
    row, cosine = row[keep], cosine[keep]
    order = np.lexsort((-cosine, row))
    row, cosine = row[order], cosine[order]
    place = np.arange(row.size) - np.searchsorted(row, row)
    number = np.searchsorted(rows, row)
    best = np.zeros((len(rows), k))
    keep = place < k
    best[number[keep], place[keep]] = cosine[keep]
    return best


def top_k_agrees(rows, found, exact, k, n_rows):
    """Whether the cosines of the k nearest are those of the exact result: which of equals is listed may differ."""
    return bool(np.allclose(best_of_rows(rows, found, k, n_rows), best_of_rows(rows, exact, k, n_rows), rtol=0, atol=TOLERANCE))


def neighbours(records):
    return records["i"].astype(np.int64), records["j"].astype(np.int64), records["score"] / SCORE_ONE


def triple_of(product, rows=None):
    """(row, column, cosine) of a CSR product; `rows` are the numbers of its rows in the matrix."""
    row = np.repeat(np.arange(product.shape[0]) if rows is None else rows, np.diff(product.indptr))
    return row, product.indices.astype(np.int64), product.data.astype(np.float64)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sparse_dot_topn on all rows, in single precision (as fast as double or faster) and with its own threads.

Joins by sp_matmul_topn with a threshold: its untruncated sp_matmul is twice as slow and would have to keep a product that has most
of its n^2 entries. top_n is what the exact result says is enough: in its favour, since nobody knows that before.
Its documented use computes each pair twice; a variant by hand, in strips of rows, leaves most of the lower triangle out.
"""
import sparse_dot_topn
from sparse_dot_topn import sp_matmul_topn

import numpy as np
import peer

N_STRIPS = 16


def join_strips(matrix, threshold, top_n, n_threads):
    n_rows = matrix.shape[0]
    bounds = np.linspace(0, n_rows, N_STRIPS + 1).astype(int)
    found = []
    for begin, end in zip(bounds, bounds[1:]):
        product = sp_matmul_topn(matrix[begin:end], matrix[begin:].T.tocsr(), top_n=top_n, threshold=threshold,
                                 n_threads=n_threads)
        row, column, cosine = peer.triple_of(product)
        upper = row < column
        found.append((row[upper] + begin, column[upper] + begin, cosine[upper]))
    return tuple(np.concatenate(parts) for parts in zip(*found))


def join(matrix, transposed, threshold, top_n, n_threads):
    return sp_matmul_topn(matrix, transposed, top_n=top_n, threshold=threshold, sort=False, n_threads=n_threads)


def main():
    arguments = peer.arguments(__doc__)
    n_threads, k = arguments.threads, arguments.top_k
    matrix = peer.read_matrix(arguments.matrix)
    n_rows = matrix.shape[0]
    peer.emit(peer="sparse_dot_topn", version=sparse_dot_topn.__version__, precision="float32", threads=n_threads)
    transposed = matrix.T.tocsr()
    exact = {text: peer.exact_result(arguments.exact, f"join:{text}") for text in arguments.join}
    top_n = {text: min(n_rows, peer.most_partners(pairs, n_rows) + 1) for text, pairs in exact.items()}
    for text, pairs in exact.items():
        threshold = float(text)
        seconds, product = peer.timed(lambda: join(matrix, transposed, threshold, top_n[text], n_threads))
        agrees, n_odd = peer.join_agrees(peer.triple_of(product), peer.both_directions(pairs), threshold, n_rows)
        peer.emit(task=f"join:{text}", seconds=seconds, share=1, agrees=agrees, n_rounding=n_odd, top_n=top_n[text])
    if k:
        seconds, product = peer.timed(lambda: sp_matmul_topn(matrix, transposed, top_n=k + 1, sort=True, n_threads=n_threads))
        nearest = peer.neighbours(peer.exact_result(arguments.exact, f"top:{k}"))
        agrees = peer.top_k_agrees(np.arange(n_rows), peer.triple_of(product), nearest, k, n_rows)
        peer.emit(task=f"top:{k}", seconds=seconds, share=1, agrees=agrees)
    for text, pairs in exact.items():
        threshold = float(text)
        seconds, found = peer.timed(lambda: join_strips(matrix, threshold, top_n[text], n_threads))
        agrees, n_odd = peer.join_agrees(found, peer.neighbours(pairs), threshold, n_rows)
        peer.emit(task=f"join:{text}", variant="upper triangle by hand", seconds=seconds, share=1, agrees=agrees,
                  n_rounding=n_odd)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scikit-learn's NearestNeighbors(metric="cosine", algorithm="brute"), its only algorithm for cosines, with n_jobs threads.

Single precision, which is faster here. A sample of rows, spread over the matrix, is asked for; the time is extrapolated.
"""
import numpy as np
import peer
import sklearn
from sklearn.neighbors import NearestNeighbors

N_QUERIES = 1024


def main():
    arguments = peer.arguments(__doc__)
    matrix = peer.read_matrix(arguments.matrix)
    n_rows = matrix.shape[0]
    peer.emit(peer="scikit-learn", version=sklearn.__version__, precision="float32", threads=arguments.threads)
    rows = peer.spread(n_rows, N_QUERIES)
    share = rows.size / n_rows
    model = NearestNeighbors(metric="cosine", algorithm="brute", n_jobs=arguments.threads).fit(matrix)
    queries = matrix[rows]
    for text in arguments.join:
        threshold = float(text)
        seconds, (distances, columns) = peer.timed(lambda: model.radius_neighbors(queries, 1 - threshold))
        found = (np.repeat(rows, [part.size for part in columns]), np.concatenate(columns).astype(np.int64),
                 1 - np.concatenate(distances).astype(np.float64))
        exact = peer.both_directions(peer.exact_result(arguments.exact, f"join:{text}"))
        agrees, n_odd = peer.join_agrees(found, peer.of_rows(rows, exact, n_rows), threshold, n_rows)
        peer.emit(task=f"join:{text}", seconds=seconds / share, share=share, agrees=agrees, n_rounding=n_odd)
    if arguments.top_k:
        k = arguments.top_k
        seconds, (distances, columns) = peer.timed(lambda: model.kneighbors(queries, k + 1))
        found = (np.repeat(rows, k + 1), columns.ravel().astype(np.int64), 1 - distances.ravel().astype(np.float64))
        exact = peer.neighbours(peer.exact_result(arguments.exact, f"top:{k}"))
        peer.emit(task=f"top:{k}", seconds=seconds / share, share=share,
                  agrees=peer.top_k_agrees(rows, found, exact, k, n_rows))


if __name__ == "__main__":
    main()

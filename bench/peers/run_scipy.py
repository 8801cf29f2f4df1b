#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SciPy: the product X X^T by blocks of rows, each thresholded or cut to the k highest at once. One thread: it has no more.

Single precision, which is faster here. A few blocks, spread over the matrix, are computed; the time is extrapolated.
"""
import numpy as np
import peer
import scipy
import scipy.sparse

BLOCK_ROWS, N_BLOCKS = 256, 6


def over(product, threshold):
    keep = product.data >= threshold
    row = np.repeat(np.arange(product.shape[0]), np.diff(product.indptr))[keep]
    return row, product.indices[keep].astype(np.int64), product.data[keep].astype(np.float64)


def best(product, k):
    """The k + 1 highest of each row: the row itself is among them."""
    parts = []
    for row in range(product.shape[0]):
        begin, end = product.indptr[row], product.indptr[row + 1]
        data = product.data[begin:end]
        if data.size > k + 1:
            at = np.argpartition(data, data.size - k - 1)[-k - 1:]
        else:
            at = np.arange(data.size)
        parts.append((np.full(at.size, row), product.indices[begin:end][at].astype(np.int64), data[at].astype(np.float64)))
    return tuple(np.concatenate(columns) for columns in zip(*parts))


def run(matrix, transposed, blocks, reduce):
    """(seconds, (row, column, cosine)) of the blocks."""
    total, parts = 0.0, []
    for rows in blocks:
        seconds, found = peer.timed(lambda: reduce(matrix[rows] @ transposed))
        total += seconds
        parts.append((found[0] + rows.start, found[1], found[2]))
    return total, tuple(np.concatenate(columns) for columns in zip(*parts))


def main():
    arguments = peer.arguments(__doc__)
    matrix = peer.read_matrix(arguments.matrix)
    n_rows = matrix.shape[0]
    peer.emit(peer="SciPy", version=scipy.__version__, precision="float32", threads=1)
    transposed = matrix.T.tocsr()
    starts = peer.spread(max(1, n_rows - BLOCK_ROWS + 1), N_BLOCKS)
    blocks = [slice(int(start), min(int(start) + BLOCK_ROWS, n_rows)) for start in starts]
    if n_rows <= BLOCK_ROWS * N_BLOCKS:  # small: all of it
        blocks = [slice(start, min(start + BLOCK_ROWS, n_rows)) for start in range(0, n_rows, BLOCK_ROWS)]
    run(matrix, transposed, blocks[:1], lambda product: over(product, 1))  # the first touch of memory is not counted
    rows = np.concatenate([np.arange(block.start, block.stop) for block in blocks])
    share = rows.size / n_rows
    for text in arguments.join:
        threshold = float(text)
        seconds, found = run(matrix, transposed, blocks, lambda product: over(product, threshold))
        exact = peer.both_directions(peer.exact_result(arguments.exact, f"join:{text}"))
        agrees, n_odd = peer.join_agrees(found, peer.of_rows(rows, exact, n_rows), threshold, n_rows)
        peer.emit(task=f"join:{text}", seconds=seconds / share, share=share, agrees=agrees, n_rounding=n_odd)
    if arguments.top_k:
        k = arguments.top_k
        seconds, found = run(matrix, transposed, blocks, lambda product: best(product, k))
        exact = peer.neighbours(peer.exact_result(arguments.exact, f"top:{k}"))
        peer.emit(task=f"top:{k}", seconds=seconds / share, share=share,
                  agrees=peer.top_k_agrees(rows, found, exact, k, n_rows))


if __name__ == "__main__":
    main()

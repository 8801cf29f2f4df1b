#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the exact top-k is compared with: scikit-learn's vectors multiplied by sparse_dot_topn.

Usage: peer_sparse_dot_topn.py CORPUS.jsonl THREADS K. Prints `top_k` in seconds.
"""
import json
import sys
import time

from sklearn.feature_extraction.text import TfidfVectorizer
from sparse_dot_topn import sp_matmul_topn


def main():
    path, n_threads, k = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with open(path, encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    matrix = TfidfVectorizer().fit_transform(f"{record['title']}\n{record['summary']}" for record in records)
    transposed = matrix.T.tocsr()
    begin = time.perf_counter()
    sp_matmul_topn(matrix, transposed, top_n=k + 1, sort=True, n_threads=n_threads)
    print(f"top_k\t{time.perf_counter() - begin}")


if __name__ == "__main__":
    main()

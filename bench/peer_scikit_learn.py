#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What paperkin's reading and vectorising is compared with: json and scikit-learn's TfidfVectorizer, one process.

Usage: peer_scikit_learn.py CORPUS.jsonl REPEATS. Prints the same lines as bench_vectorize.
"""
import json
import sys
import time

from sklearn.feature_extraction.text import TfidfVectorizer


def main():
    path, n_repeats = sys.argv[1], int(sys.argv[2])
    for _ in range(n_repeats):
        begin = time.perf_counter()
        with open(path, encoding="utf-8") as file:
            records = [json.loads(line) for line in file]
        read = time.perf_counter()
        matrix = TfidfVectorizer().fit_transform(f"{record['title']}\n{record['summary']}" for record in records)
        end = time.perf_counter()
        print(f"read\t{read - begin}\nvectorize\t{end - read}", flush=True)
    print(f"papers\t{matrix.shape[0]}\nterms\t{matrix.shape[1]}\nnonzeros\t{matrix.nnz}")


if __name__ == "__main__":
    main()

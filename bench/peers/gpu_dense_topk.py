#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The dense peer on GPUs: half-precision products by PyTorch and the k largest of each row.

usage: gpu_dense_topk.py MATRIX.npz [--k K] [--dimension D]... [--sample ROWS] [--device N]

Ways, each from the sparse rows in host memory to the neighbours in host memory:

  dense       every column is kept, where the matrix fits into half of the device's free memory as 16-bit floats
  projected   D columns by a random projection (signs, Johnson and Lindenstrauss); D of 1024 without --dimension

Recall is stated over a sample of rows: the share of neighbours whose exact cosine reaches that of the exact k-th, less
1e-6, exact meaning 64-bit floats on the host. One JSON object on stdout; exit status 77 without PyTorch or a GPU.
"""
import argparse
import json
import sys
import time

SKIPPED = 77
BLOCK = 4096  # rows of a product


def skip(why):
    print(json.dumps({"peer": "gpu_dense_topk", "skipped": why}))
    sys.exit(SKIPPED)


try:
    import numpy
    import torch
except ImportError as error:
    skip(f"{error}; PyTorch with CUDA is needed")


def read_rows(path):
    """Unit rows of a CSR .npz of SciPy's: offsets, columns, values; and the number of columns."""
    with numpy.load(path) as file:
        offsets, columns = file["indptr"].astype(numpy.int64), file["indices"].astype(numpy.int64)
        values, n_columns = file["data"].astype(numpy.float64), int(file["shape"][1])
    lengths = numpy.sqrt(numpy.add.reduceat(numpy.append(values**2, 0), offsets[:-1]))
    lengths[offsets[:-1] == offsets[1:]] = 1  # reduceat gives something else for empty rows
    return offsets, columns, values / numpy.repeat(lengths, numpy.diff(offsets)), n_columns


def sparse_on(device, rows):
    offsets, columns, values, n_columns = rows
    return torch.sparse_csr_tensor(torch.from_numpy(offsets).to(device), torch.from_numpy(columns).to(device),
                                   torch.from_numpy(values.astype(numpy.float32)).to(device),
                                   size=(len(offsets) - 1, n_columns))


def dense_rows(device, rows):
    offsets, columns, values, n_columns = rows
    n_rows = len(offsets) - 1
    dense = torch.zeros((n_rows, n_columns), dtype=torch.float16, device=device)
    number = torch.repeat_interleave(torch.arange(n_rows, device=device),
                                     torch.from_numpy(numpy.diff(offsets)).to(device))
    dense[number, torch.from_numpy(columns).to(device)] = torch.from_numpy(values.astype(numpy.float16)).to(device)
    return dense


def projected_rows(device, rows, dimension):
    generator = torch.Generator(device=device).manual_seed(1)
    signs = torch.randint(0, 2, (rows[3], dimension), generator=generator, device=device, dtype=torch.int8)
    projection = (signs.to(torch.float32) * 2 - 1) / dimension**0.5
    made = sparse_on(device, rows) @ projection
    return torch.nn.functional.normalize(made, dim=1).to(torch.float16)


def neighbors(dense, k):
    """The k largest of each row, the row itself left out: rows x k, on the host."""
    n_rows = dense.shape[0]
    found = torch.empty((n_rows, k), dtype=torch.int64)
    for first in range(0, n_rows, BLOCK):
        last = min(first + BLOCK, n_rows)
        products = dense[first:last] @ dense.T
        products[torch.arange(last - first), torch.arange(first, last)] = -1
        found[first:last] = products.topk(k, dim=1).indices.cpu()
    return found.numpy()


def recall(rows, found, sampled, k):
    """Over the sampled rows: the share of neighbours that are as near as the exact k-th."""
    offsets, columns, values, n_columns = rows
    n_rows, good = len(offsets) - 1, 0
    number = numpy.repeat(numpy.arange(n_rows), numpy.diff(offsets))
    for row in sampled:
        dense = numpy.zeros(n_columns)
        dense[columns[offsets[row]:offsets[row + 1]]] = values[offsets[row]:offsets[row + 1]]
        scores = numpy.bincount(number, weights=dense[columns] * values, minlength=n_rows)
        scores[row] = -1
        least = numpy.partition(scores, -k)[-k] - 1e-6
        good += int((scores[found[row]] >= least).sum())
    return good / (len(sampled) * k)


def measure(name, make, rows, wanted, sampled):
    torch.cuda.reset_peak_memory_stats()
    torch.cuda.synchronize()
    began = time.perf_counter()
    dense = make()
    torch.cuda.synchronize()
    prepared = time.perf_counter()
    found = neighbors(dense, wanted.k)
    torch.cuda.synchronize()
    ended = time.perf_counter()
    return {"way": name, "dimension": dense.shape[1], "seconds": ended - began, "prepare_seconds": prepared - began,
            "compare_seconds": ended - prepared, "operations": 2.0 * dense.shape[0]**2 * dense.shape[1],
            "device_bytes": torch.cuda.max_memory_allocated(), "recall": recall(rows, found, sampled, wanted.k)}


def read_words():
    parser = argparse.ArgumentParser()
    parser.add_argument("matrix")
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--dimension", type=int, action="append")
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--device", type=int, default=0)
    return parser.parse_args()


def main():
    wanted = read_words()
    if not torch.cuda.is_available():
        skip("PyTorch sees no GPU")
    device = torch.device("cuda", wanted.device)
    torch.cuda.set_device(device)
    rows = read_rows(wanted.matrix)
    n_rows, n_columns = len(rows[0]) - 1, rows[3]
    sampled = numpy.random.default_rng(1).choice(n_rows, min(wanted.sample, n_rows), replace=False)
    warm = torch.rand((4096, 4096), dtype=torch.float16, device=device)
    (warm @ warm).topk(wanted.k)
    answer = {"peer": "gpu_dense_topk", "torch": torch.__version__, "device": torch.cuda.get_device_name(device),
              "rows": n_rows, "columns": n_columns, "k": wanted.k, "sampled_rows": len(sampled), "ways": []}
    for dimension in wanted.dimension or [1024]:
        answer["ways"].append(measure("projected", lambda d=dimension: projected_rows(device, rows, d), rows, wanted,
                                      sampled))
    if 2 * n_rows * n_columns <= torch.cuda.mem_get_info(device)[0] / 2:
        answer["ways"].append(measure("dense", lambda: dense_rows(device, rows), rows, wanted, sampled))
    else:
        answer["left_out"] = f"dense: {2 * n_rows * n_columns} bytes are too many"
    print(json.dumps(answer))


if __name__ == "__main__":
    main()

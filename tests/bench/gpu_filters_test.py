#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/gpu_filters.c on a device that is none: its answer is whole, and the filters agree about what passes.

usage: gpu_filters_test.py PROGRAM
"""
import json
import subprocess
import sys


def main():
    done = subprocess.run([sys.argv[1], "--rows", "500", "--dimension", "64", "--dimension", "128"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["program"] == "gpu_filters" and answer["copy_up"]["bytes"] > 0
    assert [peak["n"] for peak in answer["peaks"]] == [8192, 16384]
    assert [sketch["dimension"] for sketch in answer["sketches"]] == [64, 128]
    assert answer["scoring"]["candidates"] > answer["scoring"]["pairs"] > 0

    found = {}
    for run in answer["filters"]:
        key = (run["dimension"], run["shape"], run["cosine"], run["rows"])
        found.setdefault(key, {})[run["filter"]] = run["found"]
        pairs = run["rows"] ** 2 if run["shape"] == "rectangle" else run["rows"] * (run["rows"] - 1) // 2
        tops = 2 * pairs * run["dimension"] / run["seconds"] / 1e12
        assert abs(tops - run["tops"]) <= 0.01 * tops + 0.001, run
    assert len(found) == 8, found.keys()
    for (_, _, cosine, _), by_filter in found.items():
        assert set(by_filter) == {"fused", "gemm8", "gemm32", "dp4a"}, by_filter
        assert by_filter["fused"] == by_filter["gemm32"] == by_filter["dp4a"] <= by_filter["gemm8"], by_filter
        assert (by_filter["fused"] == 0) == (cosine == 0), by_filter

    for wrong in (["--dimension", "100"], ["--filter", "none"], ["--rows"], ["--unknown", "1"]):
        assert subprocess.run([sys.argv[1], *wrong], capture_output=True, check=False).returncode == 2, wrong


if __name__ == "__main__":
    main()

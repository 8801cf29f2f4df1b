#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles every kernel for every architecture and reads the compiler's report: no spills, no stack, no warning.

A spilled register, or an array that was put on the stack since something indexed it, costs a hot kernel most of its
speed and is seen nowhere else. Two warnings of ptxas are as bad: setmaxnreg ignored (C7508) and wgmma serialized
(C7510). Every warning is a fault here.

Usage: check_kernels.py ROOT NVCC [NVCC OPTION...]. Exit status 1 if there is any fault; 77 where NVCC is "".
"""
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ARCHITECTURES = ["75", "80", "89", "90a"]
HOPPER = re.compile(r"cuda_filter_fused\.cu$")  # made for compute capability 9.0 alone
ENTRY = re.compile(r"Compiling entry function '([^']+)' for '([^']+)'")
MEMORY = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers")
# The bytes of stack that a kernel may use all the same, and why.
ALLOWED = {}


def kernel_name(symbol):
    """_ZN4pkin11sketch_rowsENS_11sketch_taskE -> sketch_rows: the last part of the mangled name."""
    text = symbol[3:] if symbol.startswith("_ZN") else symbol
    parts = []
    while match := re.match(r"(\d+)", text):
        length = int(match.group(1))
        parts.append(text[match.end():match.end() + length])
        text = text[match.end() + length:]
    return parts[-1] if parts else symbol


def read_report(report):
    """The kernels of a report, as (name, architecture, stack, stores, loads, registers), and its warnings."""
    kernels, name, architecture, memory = [], None, None, None
    for line in report.splitlines():
        if match := ENTRY.search(line):
            name, architecture, memory = kernel_name(match.group(1)), match.group(2), None
        elif name and (match := MEMORY.search(line)):
            memory = memory or tuple(int(number) for number in match.groups())
        elif name and memory and (match := USED.search(line)):
            kernels.append((name, architecture, *memory, int(match.group(1))))
            name = None
    warnings = [line for line in report.splitlines() if re.search(r"\bwarning\b|C75\d\d", line)]
    return kernels, warnings


def compile_report(nvcc, options, source, architecture):
    """The compiler's report on one file for one architecture, and whether it compiled."""
    with tempfile.TemporaryDirectory() as folder:
        command = [nvcc, "-std=c++17", "-O3", "--fmad=false", "-Xptxas=-v", *options,
                   f"--generate-code=arch=compute_{architecture},code=sm_{architecture}",
                   "-cubin", "-o", str(Path(folder, "out.cubin")), str(source)]
        done = subprocess.run(command, text=True, capture_output=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def faults_of(source, architecture, compiled, report):
    where = f"{Path(source).name} for sm_{architecture}"
    if not compiled:
        return [f"{where}: does not compile:\n{report}"]
    kernels, warnings = read_report(report)
    faults = [f"{where}: {line.strip()}" for line in warnings]
    for name, _, stack, stores, loads, registers in kernels:
        if max(stack, stores, loads) > ALLOWED.get(name, 0):
            faults.append(f"{where}: {name} uses {stack} bytes of stack, {stores} of spill stores and {loads} of spill "
                          f"loads, with {registers} registers")
    if not kernels:
        faults.append(f"{where}: the report names no kernel")
    return faults


def check(root, nvcc, options):
    """What is found: lines on kernels, and faults."""
    sources = sorted(Path(root, "kernels").glob("*.cu"))
    jobs = [(source, architecture) for source in sources for architecture in ARCHITECTURES
            if architecture == "90a" or not HOPPER.search(source.name)]
    options = [f"-I{Path(root, folder)}" for folder in ("", "host", "include")] + options
    lines, faults = [], [] if jobs else [f"{root}/kernels holds no .cu file"]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        reports = list(pool.map(lambda job: compile_report(nvcc, options, *job), jobs))
    for (source, architecture), (compiled, report) in zip(jobs, reports):
        faults += faults_of(source, architecture, compiled, report)
        lines += [f"{name} {where}: {registers} registers" for name, where, *_, registers in read_report(report)[0]]
    return lines, faults


def main():
    if not sys.argv[2]:
        print("skipped: this build has no CUDA compiler, so that no kernel is compiled")
        return 77
    lines, faults = check(sys.argv[1], sys.argv[2], sys.argv[3:])
    print("\n".join(lines + faults))
    print(f"{len(lines)} kernels compiled, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

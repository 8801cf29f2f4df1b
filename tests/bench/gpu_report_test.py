#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What scripts/gpu-check makes of the programs' outputs, which come from the real programs where no GPU is needed.

usage: gpu_report_test.py ROOT BIN GPU_FILTERS_ON_HOST
"""
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT, BIN, FILTERS = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "passive", "CUDA_VISIBLE_DEVICES": ""}

GPU = "0, Sample GPU 80GB, 580.00, 81559 MiB, 9.0, 1980 MHz, 700.00 W, GPU-00000000"
CUSPARSE = {"peer": "cusparse_spgemm", "rows": 134072, "rows_measured": 20000, "extrapolated": True, "seconds": 40.0,
            "half_seconds": 20.0, "agrees": True}
TORCH = {"peer": "gpu_dense_topk", "rows": 134072, "k": 10,
         "ways": [{"way": "projected", "dimension": 1024, "seconds": 1.5, "recall": 0.75}]}


@functools.lru_cache(maxsize=None)
def output_of(*words):
    return subprocess.run([str(word) for word in words], env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout


def bench_answer(*words):
    return json.loads(output_of(BIN / "paperkin", "bench", "--quiet", "--json", "--backend", "cpu", "--repeat", "1", *words))


def on_gpu(answer, seconds):
    """The CPU's answer as if it were a GPU's, in so many seconds."""
    for result, total in zip(answer["results"], seconds):
        result["seconds"]["total"] = total
        result.update(backend="cuda", gpu_filter="fused", dimension=512, moved_bytes=123456789, device_bytes=2 * 10**9,
                      splits=3)
    return answer


class Report(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.out = Path(self.folder.name)
        self.raw = self.out / "raw"
        self.raw.mkdir()

    def write(self, name, what):
        (self.raw / name).write_text(what if isinstance(what, str) else json.dumps(what))

    def report(self):
        done = subprocess.run([sys.executable, str(ROOT / "bench/gpu_report.py"), str(self.out)], capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads((self.out / "gpu-check.json").read_text()), (self.out / "gpu-check.md").read_text()

    def write_all(self, share=0.8):
        self.write("environment.txt", f"commit=abc\nchanged=2\ncores=16\nmemory_kb=1048576\nnvcc=13.0\ngpu={GPU}\n")
        self.write("parity.status", "ok\t12\tall is | well\n")
        self.write("memcheck.status", "failed\t3\tERROR SUMMARY: 1 error\n")
        self.write("memcheck.txt", "========= COMPUTE-SANITIZER\n========= ERROR SUMMARY: 1 error\n")
        self.write("parity.txt", output_of(BIN / "gpu_parity", "--quick", "--backend", "cpu", "--case", "o"))
        self.write("memcheck-pipeline.txt", "========= ERROR SUMMARY: 0 errors\n")
        self.write("kernels-others.txt", output_of(BIN / "gpu_kernels_on_host", "--filter", "none"))
        self.write("kernels-fused.txt", "fused, plain, d 128: all rows, at 0.5    WRONG: 3 missing\nfused, plain, d 64: one   ")
        self.write("pipeline.txt", output_of(BIN / "gpu_pipeline_on_host", "--least", "--filter", "dp4a"))
        filters = json.loads(output_of(FILTERS, "--rows", "150", "--dimension", "64"))
        filters["peaks"] = [{"n": 8192, "tops": 1000.0}, {"n": 16384, "missing": "no memory"}]
        for run in filters["filters"]:
            run.update(tops=1000 * share, share_of_peak=share, dimension=512)
        self.write("filters.json", filters)
        self.write("bench-cuda-134k.json", on_gpu(bench_answer("--generate", "300", "-t", "0.5", "-k", "10"), [0.25, 1]))
        self.write("bench-cuda-1M.json", on_gpu(bench_answer("--generate", "300", "-t", "0.5", "-k", "10"), [1.25, 6]))
        self.write("bench-cpu-134k.json", bench_answer("--generate", "300", "-t", "0.5"))
        self.write("cusparse.json", CUSPARSE)
        self.write("torch.json", TORCH)

    def test_everything(self):
        self.write_all()
        found, text = self.report()
        self.assertTrue(found["parity"]["finished"])
        self.assertEqual(found["parity"]["different"], 0)
        self.assertGreaterEqual(len(found["parity"]["cases"]), 6)
        wrong = [(kernel["kernel"], kernel["said"]) for kernel in found["kernels"] if not kernel["equal"]]
        self.assertEqual(wrong, [("fused, plain, d 128: all rows, at 0.5", "WRONG: 3 missing"),
                                 ("fused, plain, d 64: one", "never ended")])
        self.assertGreater(len(found["kernels"]), 40)
        self.assertEqual(found["sanitizers"], {"memcheck": ["ERROR SUMMARY: 1 error", "ERROR SUMMARY: 0 errors"]})
        self.assertEqual((found["pipeline"]["ways"], found["pipeline"]["wrong"]), (2, 0))
        self.assertEqual(found["filter_disagreements"], [])
        self.assertEqual([(aim["measured"], aim["met"]) for aim in found["aims"]],
                         [("80.0%", True), ("1.250 s", True), ("6.000 s", False), (None, None), ("80", True)])
        for words in ("# paperkin on Sample GPU 80GB", "commit abc with 2 changed files", "all is \\| well",
                      "| fused | 512 | 800 (80%) |", "| 1M rows, top 10 | <= 5 s | 6.000 s | no |", "not measured",
                      "| cuda | fused 512 | 0.250 s |", "123 MB", "recall 0.7500",
                      "extrapolated from 20 k rows, agrees", "| memcheck | failed | 3 | ERROR SUMMARY: 1 error |"):
            self.assertIn(words, text)

    def test_below_the_aim(self):
        self.write_all(share=0.5)
        found, _ = self.report()
        self.assertEqual((found["aims"][0]["measured"], found["aims"][0]["met"]), ("50.0%", False))

    def test_filters_that_disagree(self):
        self.write_all()
        filters = json.loads((self.raw / "filters.json").read_text())
        run = next(run for run in filters["filters"] if run["filter"] == "gemm32" and run["found"] > 0)
        run["found"] += 1
        self.write("filters.json", filters)
        found, text = self.report()
        self.assertEqual(len(found["filter_disagreements"]), 1)
        self.assertIn("Filters disagree", text)

    def test_a_case_that_differs(self):
        self.write("parity.txt", "FAIL  one term                           fused     9 runs,       100 results,   0.10 s\n"
                   "ok    one term                           dp4a (all GPUs)  9 runs,  100 results,   0.10 s\n")
        found, text = self.report()
        self.assertEqual((found["parity"]["different"], found["parity"]["finished"]), (1, False))
        self.assertIn("| one term | fused |", text)

    def test_nothing_and_what_was_cut_off(self):
        found, text = self.report()
        self.assertIn("a machine without a GPU", text)
        self.assertTrue(all(aim["met"] is None for aim in found["aims"]))
        self.write("filters.json", '{"program": "gpu_fil')
        self.write("bench-cuda-1M.json", "")
        found, _ = self.report()
        self.assertIsNone(found["filters"])


class GpuCheck(unittest.TestCase):
    """The script on a machine without a GPU, or one that is made to look so."""

    def run_check(self, out, *words, path=None):
        env = {**ENVIRONMENT, "PATH": path or os.environ["PATH"]}
        return subprocess.run([str(ROOT / "scripts/gpu-check"), "--out", str(out), "--build", str(BIN.parent), "--python",
                               sys.executable, *words], env=env, capture_output=True, text=True, check=False)

    def tools(self, folder, **programs):
        """A folder for PATH with what the script needs, and with programs that only print."""
        for name in ("bash dirname basename cat sed grep head tail cut tr date uname nproc mkdir mv rm realpath timeout find "
                     "wc env cmake git sort").split():
            if shutil.which(name):
                os.symlink(shutil.which(name), Path(folder, name))
        for name, text in programs.items():
            self.stub(folder, name.replace("_", "-"), text)
        return folder

    def test_no_gpu(self):
        with tempfile.TemporaryDirectory() as out, tempfile.TemporaryDirectory() as tools:
            done = self.run_check(out, "--stage", "environment,parity,memcheck", path=self.tools(tools))
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("no nvidia-smi", done.stderr)
            self.assertIn("no GPU that can be used", done.stderr)
            self.assertIn("failed: environment parity", done.stderr)
            found = json.loads(Path(out, "gpu-check.json").read_text())
            self.assertEqual([found["stages"][name]["outcome"] for name in ("environment", "parity")], ["failed"] * 2)
            # Skipped without compute-sanitizer, which the script also looks for beside the toolkit.
            self.assertIn(found["stages"]["memcheck"]["outcome"], ("skipped", "failed"))
            self.assertIn("a machine without a GPU", done.stdout)

    def test_environment(self):
        with tempfile.TemporaryDirectory() as out, tempfile.TemporaryDirectory() as tools:
            done = self.run_check(out, "--stage", "environment", path=self.tools(tools, nvidia_smi=GPU))
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            found = json.loads(Path(out, "gpu-check.json").read_text())
            self.assertEqual(found["environment"]["gpus"][0]["capability"], "9.0")
            self.assertIn("Sample GPU 80GB", done.stdout)

    def stub(self, folder, name, text, status=0):
        Path(folder, name).write_text(f"#!/bin/sh\ncat <<'TEXT'\n{text}\nTEXT\nexit {status}\n")
        os.chmod(Path(folder, name), 0o755)

    def test_every_stage_with_programs_that_only_print(self):
        stages = "environment,parity,memcheck,racecheck,initcheck,synccheck,filters,bench,peers"
        answer = on_gpu(bench_answer("--generate", "300", "-t", "0.5", "-k", "10"), [1.25, 6])
        with tempfile.TemporaryDirectory() as out, tempfile.TemporaryDirectory() as tools, \
                tempfile.TemporaryDirectory() as build:
            binaries = Path(build, "bin")
            binaries.mkdir()
            self.stub(binaries, "gpu_parity", "ok    one term      fused     9 runs,       100 results,   0.10 s\n"
                      "gpu_parity: 9 runs of 1 cases on Sample GPU, 0 cases differ")
            self.stub(binaries, "gpu_kernel_parity", "sketch, plain, d 128        equal")
            self.stub(binaries, "gpu_pipeline_parity", "gpu_pipeline_parity: 48 ways on Sample GPU, 0 answers wrong")
            self.stub(binaries, "gpu_filters", output_of(FILTERS, "--rows", "150", "--dimension", "64"))
            self.stub(binaries, "paperkin", json.dumps(answer))
            self.stub(binaries, "cusparse_spgemm", json.dumps(CUSPARSE))
            self.tools(tools, nvidia_smi=GPU)
            self.stub(tools, "compute-sanitizer", "========= ERROR SUMMARY: 0 errors")
            self.stub(tools, "python3", "no module torch", 1)
            words = ["--stage", stages, "--build", build]
            done = self.run_check(out, *words, path=tools)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            found = json.loads(Path(out, "gpu-check.json").read_text())
            self.assertEqual({name: it["outcome"] for name, it in found["stages"].items()},
                             {name: "ok" for name in stages.split(",")})
            self.assertEqual([aim["met"] for aim in found["aims"]], [None, True, False, True, False])
            self.assertEqual(len(found["bench"]), 7)

            # One of them fails, and the rest goes on; what was not run again stays.
            self.stub(binaries, "gpu_parity", "FAIL  one term      fused     9 runs,       100 results,   0.10 s\n"
                      "gpu_parity: 9 runs of 1 cases on Sample GPU, 1 cases differ", 1)
            self.stub(binaries, "gpu_kernel_parity", "sketch, plain, d 128        WRONG: sketches: 2 of 9 differ", 1)
            self.stub(tools, "compute-sanitizer", "========= ERROR SUMMARY: 3 errors", 9)
            done = self.run_check(out, "--stage", "parity,memcheck,filters", "--build", build, path=tools)
            self.assertEqual(done.returncode, 1)
            self.assertIn("failed: memcheck parity", done.stderr)
            found = json.loads(Path(out, "gpu-check.json").read_text())
            self.assertEqual(found["stages"]["memcheck"]["said"], "; ".join(["ERROR SUMMARY: 3 errors"] * 3))
            self.assertIn("others FAILED: sketch, plain, d 128 WRONG: sketches: 2 of 9 differ", done.stderr)
            self.assertEqual([kernel["equal"] for kernel in found["kernels"]], [False] * 5)
            self.assertEqual((found["parity"]["different"], found["stages"]["bench"]["outcome"]), (1, "ok"))

    def test_nothing_built(self):
        with tempfile.TemporaryDirectory() as out:
            done = self.run_check(out, "--stage", "bench,filters", "--build", out)
            self.assertEqual(done.returncode, 1)
            self.assertIn("the stage build must come first", done.stderr)

    def test_misuse(self):
        for words in (["--stage", "none"], ["--out"], ["--npz", "/nowhere.npz"], ["more"]):
            with tempfile.TemporaryDirectory() as out:
                self.assertEqual(self.run_check(out, *words).returncode, 2, words)
        self.assertEqual(self.run_check("/nowhere", "--help").returncode, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The check of the compiler's report must find what it is there to find.

Usage: check_kernels_test.py [NVCC]: with a compiler, also on kernels that are made to be at fault.
"""
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import check_kernels  # noqa: E402

NVCC = sys.argv.pop() if len(sys.argv) > 1 else None

GOOD = """ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_ZN4pkin11sketch_rowsENS_11sketch_taskE' for 'sm_75'
ptxas info    : Function properties for _ZN4pkin11sketch_rowsENS_11sketch_taskE
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 47 registers, used 0 barriers, 424 bytes cmem[0]
"""
SERIALIZED = ("ptxas info    : (C7510) Potential Performance Loss: wgmma.mma_async instructions are serialized due to "
              "insufficient register resources for the wgmma pipeline in the function 'f'\n")


class CheckKernels(unittest.TestCase):
    def faults(self, report):
        return check_kernels.faults_of("kernels/x.cu", "75", True, report)

    def test_good_report_passes(self):
        self.assertEqual(self.faults(GOOD), [])
        self.assertEqual(check_kernels.read_report(GOOD)[0], [("sketch_rows", "sm_75", 0, 0, 0, 47)])

    def test_spills_and_stack(self):
        for words in ("8 bytes stack frame, 0 bytes spill stores", "0 bytes stack frame, 4 bytes spill stores"):
            faults = self.faults(GOOD.replace("0 bytes stack frame, 0 bytes spill stores", words))
            self.assertEqual(len(faults), 1, faults)
            self.assertIn("sketch_rows uses", faults[0])

    def test_warnings(self):
        self.assertIn("C7510", self.faults(GOOD + SERIALIZED)[0])
        self.assertIn("never used", self.faults(GOOD + "x.cu(3): warning #177-D: variable was never used\n")[0])

    def test_no_kernel_and_no_compilation(self):
        self.assertIn("names no kernel", self.faults("ptxas info    : 0 bytes gmem\n")[0])
        self.assertIn("does not compile", check_kernels.faults_of("x.cu", "75", False, "error")[0])

    @unittest.skipUnless(NVCC, "no CUDA compiler")
    def test_compiled_faults(self):
        stack = ("__global__ void indexed(int *out, int n) { int a[64]; for (int k = 0; k < 64; k++) a[k] = out[k] * k;\n"
                 "for (int k = 0; k < n; k++) out[k] = a[out[k] & 63]; }\n")
        with tempfile.TemporaryDirectory() as root:
            Path(root, "kernels").mkdir()
            Path(root, "kernels", "bad.cu").write_text(stack)
            lines, faults = check_kernels.check(root, NVCC, [])
        self.assertEqual((len(lines), len(faults)), (4, 4), (lines, faults))
        self.assertIn("bytes of stack", faults[0])


if __name__ == "__main__":
    unittest.main()

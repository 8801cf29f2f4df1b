#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The layout check must find what it is there to find: small trees, each with one fault."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import check_includes  # noqa: E402

TAG = "/* SPDX-License-Identifier: Apache-2.0 */\n"
GOOD = {
    "include/paperkin.h": TAG + '#include "paperkin/status.h"\n#include "paperkin/store.h"\n',
    "include/paperkin/status.h": TAG + "#include <stddef.h>\n",
    "include/paperkin/store.h": TAG + '#include "paperkin/status.h"\n',
    "host/base/memory.h": TAG + '#include "paperkin/status.h"\n',
    "host/text/tokens.h": TAG + "#include <unicode/utypes.h>\n",
    "host/store/schema.c": TAG + '#include <sqlite3.h>\n#include "base/memory.h"\n#include "paperkin/store.h"\n',
    "host/cli/main.c": TAG + "#include <paperkin.h>\n",
    "bench/bench_store.c": TAG + "#include <paperkin/store.h>\n",
    "bench/gpu_rates.c": TAG + '#include "base/memory.h"\n#include "kernels/cuda_driver.h"\n',
    "host/similarity/registry.c": TAG + '#ifdef PKIN_WITH_CUDA\n#include "kernels/cuda_backend.h"\n#endif\n',
    "kernels/cuda_backend.h": TAG + "\n",
    "kernels/cuda_device.c": TAG + '#include <cuda_runtime_api.h>\n#include "kernels/gpu_device.h"\n',
    "kernels/cuda_driver.h": TAG + '#include "kernels/gpu_device.h"\n',
    "kernels/gpu_device.h": TAG + '#include "base/memory.h"\n',
    "kernels/scan.cuh": TAG + '#include <stdint.h>\n#include "kernels/gpu_device.h"\n#include "kernels/simt.cuh"\n',
    "kernels/simt.cuh": TAG + '#include "support/simt/simt.h"\n',
    "tests/support/simt/simt.h": TAG + "\n",
    "tests/unit/store_test.cc": TAG + '#include "text/tokens.h"\n',
}


class CheckIncludes(unittest.TestCase):
    def faults(self, **changes):
        """Faults of the good tree with some files (double underscore for /, single file per keyword) replaced."""
        files = dict(GOOD, **{name: TAG + text for name, text in changes.get("files", {}).items()})
        files.update(changes.get("raw", {}))
        with tempfile.TemporaryDirectory() as root:
            for name, text in files.items():
                path = Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return check_includes.check(root)[1]

    def assert_one(self, fragment, **changes):
        faults = self.faults(**changes)
        self.assertEqual(len(faults), 1, faults)
        self.assertIn(fragment, faults[0])

    def test_good_tree_passes(self):
        self.assertEqual(self.faults(), [])

    def test_wrong_arrow(self):
        self.assert_one("host/base/bad.c:2: must not include text/tokens.h",
                        files={"host/base/bad.c": '#include "text/tokens.h"\n'})

    def test_wrong_arrow_in_angle_brackets_and_odd_spelling(self):
        self.assert_one("host/text/bad.c:3", files={"host/text/bad.c": "\n  #  include <paperkin/store.h>\n"})

    def test_commented_include_is_none(self):
        self.assertEqual(self.faults(files={"host/base/good.c": '/*\n#include "text/tokens.h"\n*/\n'}), [])

    def test_wrong_arrow_among_public_headers(self):
        self.assert_one("data flows the other way",
                        files={"include/paperkin/status.h": '#include "paperkin/store.h"\n'})

    def test_public_header_includes_private_one(self):
        self.assert_one("public headers alone", files={"include/paperkin/store.h": '#include "base/memory.h"\n'})

    def test_program_and_bench_see_public_headers_alone(self):
        self.assert_one("cli sees", files={"host/cli/bad.c": '#include "base/memory.h"\n'})
        self.assert_one("bench sees", files={"bench/bad.c": '#include "../host/base/memory.h"\n'})

    def test_kernels_see_no_text(self):
        self.assert_one("kernels sees", files={"kernels/bad.cu": '#include "text/tokens.h"\n'})

    def test_kernels_are_named_in_full(self):
        self.assert_one("named in full", files={"kernels/bad.c": '#include "gpu_device.h"\n'})
        self.assert_one("stands nowhere", files={"host/base/bad.c": '#include "gpu_device.h"\n'})

    def test_registry_alone_sees_the_cuda_backend(self):
        self.assert_one("must not include kernels/cuda_backend.h",
                        files={"host/similarity/bad.c": '#include "kernels/cuda_backend.h"\n'})
        self.assert_one("must not include kernels/gpu_device.h",
                        files={"host/similarity/registry.c": '#include "kernels/gpu_device.h"\n'})

    def test_pipeline_knows_no_cuda(self):
        self.assert_one("may see CUDA", files={"kernels/gpu_bad.c": "#include <cuda_runtime_api.h>\n"})
        self.assert_one("its driver alone", files={"kernels/gpu_bad.c": '#include "kernels/cuda_driver.h"\n'})

    def test_kernels_themselves_see_the_dialect_alone(self):
        self.assert_one("see each other", files={"kernels/bad.cuh": '#include "base/memory.h"\n'})
        self.assert_one("<stdint.h> alone", files={"kernels/bad.cuh": "#include <string.h>\n"})
        self.assert_one("may see CUDA", files={"kernels/bad.cuh": "#include <cuda_fp16.h>\n"})
        self.assert_one("the emulator is for tests", files={"kernels/bad.cuh": '#include "support/simt/simt.h"\n'})

    def test_measurements_of_devices_see_their_driver(self):
        self.assert_one("bench sees", files={"bench/bad.c": '#include "kernels/gpu_device.h"\n'})
        self.assert_one("kernels sees", files={"bench/gpu_bad.c": '#include "text/tokens.h"\n'})

    def test_missing_header(self):
        self.assert_one("stands nowhere", files={"host/base/bad.c": '#include "base/none.h"\n'})

    def test_foreign_library(self):
        self.assert_one("only store may", files={"host/base/bad.c": "#include <sqlite3.h>\n"})

    def test_cxx_outside_the_shim(self):
        self.assert_one("C++ stands", files={"host/store/bad.cpp": "\n"})

    def test_what_follows_the_locale(self):
        self.assert_one("host/text/bad.c: includes <ctype.h>", files={"host/text/bad.c": "#include <ctype.h>\n"})
        self.assert_one("host/text/bad.c:4: calls strncasecmp",
                        files={"host/text/bad.c": "int f(const char *a) {\n\n    return strncasecmp(a, \"a\", 1);\n}\n"})
        self.assert_one("host/text/bad.c:2: calls strtod", files={"host/text/bad.c": "double x = strtod (a, b);\n"})
        self.assertEqual(self.faults(files={"host/cli/fine.c": "#include <ctype.h>\n",
                                            "host/text/good.c": "int x = u_isalpha(c); /* isalpha(c) */\n"}), [])

    def test_cuda_question_outside_the_registry(self):
        self.assert_one("asks whether CUDA", files={"host/store/bad.c": "#ifdef PAPERKIN_WITH_CUDA\n#endif\n"})

    def test_name_twice(self):
        self.assert_one("same name", files={"host/base/schema.c": "\n"})

    def test_name_not_snake_case(self):
        self.assert_one("snake_case", files={"host/base/BadName.c": "\n"})

    def test_missing_licence_tag(self):
        self.assert_one("no SPDX", raw={"host/base/bad.c": "int x;\n"})


if __name__ == "__main__":
    unittest.main()

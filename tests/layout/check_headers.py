#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each header compiles alone and without a warning: public ones as C17 and C++17, private ones as C17 (of kernels/ those
that need no header of CUDA).

Usage: check_headers.py ROOT C_COMPILER CXX_COMPILER
"""
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WARNINGS = ["-Wall", "-Wextra", "-Werror"]


def compile_alone(compiler, language, standard, folder, header, extra):
    """The compiler's complaint about a file that includes `header` and nothing else, or None."""
    command = [compiler, "-x", language, f"-std={standard}", "-fsyntax-only", *WARNINGS, *extra,
               *(f"-I{path}" for path in folder), "-"]
    source = f'#include "{header}"\n#include "{header}"\nint pkin_test_only;\n'
    done = subprocess.run(command, input=source, text=True, capture_output=True, check=False)
    return None if done.returncode == 0 else f"{header} does not compile alone as {standard}:\n{done.stderr}"


def main():
    root, c_compiler, cxx_compiler = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    public = [path.relative_to(root / "include") for path in sorted((root / "include").rglob("*.h"))]
    private = [path.relative_to(root / "host") for path in sorted((root / "host").rglob("*.h"))]
    jobs = []
    for header in public:
        jobs.append((c_compiler, "c", "c17", [root / "include"], header, ["-Wpedantic"]))
        jobs.append((cxx_compiler, "c++", "c++17", [root / "include"], header, ["-Wpedantic"]))
    for header in private:
        folders = [root / "host", root / "include", root / "host" / header.parent]
        jobs.append((c_compiler, "c", "c17", folders, header, ["-D_GNU_SOURCE", "-fopenmp"]))
    device = [Path("kernels", path.name) for path in sorted((root / "kernels").glob("*.h"))
              if not path.name.startswith("cuda_") or path.name in ("cuda_driver.h", "cuda_backend.h")]
    for header in device:
        folders = [root, root / "host", root / "include"]
        jobs.append((c_compiler, "c", "c17", folders, header, ["-D_GNU_SOURCE", "-fopenmp"]))
    private += device
    with ThreadPoolExecutor() as pool:
        complaints = [text for text in pool.map(lambda job: compile_alone(*job), jobs) if text]
    print("\n".join(complaints))
    print(f"{len(public)} public and {len(private)} private headers, {len(complaints)} complaints")
    return 1 if complaints or not public or not private else 0


if __name__ == "__main__":
    sys.exit(main())

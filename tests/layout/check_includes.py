#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the layout of the sources: who includes whom, where C++ may stand, what follows locales, names, licence tags.

Data flows one way, and so do includes: base <- corpus <- text <- vector <- similarity <- groups <- store <- history <- digest,
each module seeing itself and what stands to its left, in host/ as in include/paperkin/. cli and bench see the public
headers alone, and measurements of devices (bench/gpu_*) what kernels sees: base, the matrix and the private interface of
backends. In kernels/ the pipeline (gpu_*) knows no CUDA, the device (cuda_*) alone includes its headers, and kernels
themselves (*.cuh) see only what the tests' emulator compiles. The registry alone sees the CUDA backend. Every #include
of host/, kernels/, bench/ and include/ is read and resolved as the compiler would.

Usage: check_includes.py [ROOT]. Prints one line for each fault; exit status 1 if there is any.
"""
import re
import sys
from pathlib import Path

MODULES = ["base", "corpus", "text", "vector", "similarity", "groups", "store", "history", "digest", "cli"]
RANK = {name: rank for rank, name in enumerate(MODULES)}

# The module that each public header belongs to.
PUBLIC = {
    "version.h": "base", "status.h": "base", "escape.h": "base", "corpus.h": "corpus", "features.h": "text",
    "backend.h": "similarity", "similarity.h": "similarity", "groups.h": "groups", "store.h": "store",
    "digest.h": "digest", "graph.h": "groups", "cluster.h": "groups", "labels.h": "groups",
    "related.h": "history", "threads.h": "store", "generate.h": "similarity",
}
KERNELS_MAY_SEE = {
    "host/similarity/backend.h", "host/similarity/vectors.h", "host/vector/matrix.h", "host/similarity/sketch.h",
    "host/similarity/plan.h", "host/similarity/pair_sink.h", "host/similarity/neighbor_heaps.h", "host/similarity/crew.h",
    "host/similarity/cpu_narrow.h", "include/paperkin/version.h", "include/paperkin/status.h", "include/paperkin/features.h",
    "include/paperkin/backend.h", "include/paperkin/similarity.h",
}
# What kernels themselves may include beside each other; of the compiler's headers only the integers.
CUH_MAY_SEE = {"kernels/gpu_device.h", "kernels/gpu_launch.h", "kernels/fused_layout.h"}
# The dialect's headers: under a C++ compiler alone they stand on the tests' emulator.
DIALECT = {"kernels/simt.cuh", "kernels/hopper.cuh"}
EMULATOR = "tests/support/simt/"
# Foreign libraries, and the modules that hide them from all others.
LIBRARIES = [
    (re.compile(r"simdjson"), {"corpus"}), (re.compile(r"zstd\.h$"), {"corpus"}),
    (re.compile(r"zlib\.h$"), {"corpus", "vector"}), (re.compile(r"unicode/"), {"text", "groups"}),
    (re.compile(r"sqlite3\.h$"), {"store"}), (re.compile(r"expat\.h$"), {"groups"}),
]
CUDA_LIBRARY = re.compile(r"cuda|cublas|cusparse|cub/|thrust/|cooperative_groups")
CUDA_PLACES = ("kernels/cuda_", "bench/peers/")
# Of the C library: what answers by the caller's locale. base/ascii.h does not. The program sets no locale.
LOCALE_HEADERS = {"ctype.h", "wctype.h", "locale.h", "strings.h"}
LOCALE_CALLS = re.compile(r"\b(strn?casecmp|strcasestr|is(?:alnum|alpha|digit|lower|punct|space|upper|xdigit)|to(?:lower|upper)|"
                          r"setlocale|strto[df]|strtold|atof)\s*\(")
CXX_SHIMS = {"host/corpus/json_shim.cpp"}
CUDA_SWITCH = {"host/similarity/registry.c"}  # the registry: the one place that may ask whether CUDA is built in
CUDA_BACKEND = "kernels/cuda_backend.h"  # and that may name it

FOREIGN_NAMES = {"cuda.h", "cublasLt.h", "cuda_runtime_api.h"}  # headers that tests have in the place of a library's

SOURCES = {".c", ".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".cu", ".cuh"}
CXX = {".cc", ".cpp", ".cxx", ".hh", ".hpp"}
TAGGED = SOURCES | {".py", ".sh", ".cmake"}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>|(\S+))', re.MULTILINE)
CUDA_CONDITION = re.compile(r"^[ \t]*#[ \t]*(?:el)?if\w*[ \t].*CUDA", re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def without_comments(text):
    """Blanks comments out and keeps the lines, so that a commented include is none."""
    return COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def module_of(path):
    """host/store/store.c -> store; include/paperkin/store.h -> store; bench and kernels are their own."""
    parts = path.split("/")
    if parts[0] == "host":
        return parts[1] if len(parts) > 2 else None
    if parts[0] == "include":
        return PUBLIC.get(parts[-1]) if len(parts) == 3 else "umbrella"
    return parts[0]


def sees_cuda(path, target):
    """Whether `path` may include kernels/cuda_*: the device's own files, and all others its driver's table."""
    return path.startswith("kernels/cuda_") or (path.startswith("bench/") and target == "kernels/cuda_driver.h")


def arrow_fault(path, target):
    """Why the file `path` may not include the file `target` (both relative to the root), or None."""
    source, aim = module_of(path), module_of(target)
    public = target.startswith("include/")
    if public and aim is None:
        return "belongs to no module: name it in PUBLIC of this check"
    if target.startswith(EMULATOR):
        return None if path in DIALECT else "the emulator is for tests; kernels reach it by kernels/simt.cuh"
    if path.endswith(".cuh"):
        allowed = target.endswith(".cuh") or target in CUH_MAY_SEE
        return None if allowed else "kernels themselves see each other and the device's interface alone"
    if target == CUDA_BACKEND and path in CUDA_SWITCH:
        return None
    if source == "cli":
        own = Path(path).parent == Path(target).parent
        return None if public or own else "cli sees the public headers alone"
    if source == "bench" and (public or aim == "bench"):
        return None
    if source == "bench" and not Path(path).name.startswith("gpu_"):
        return "bench sees the public headers alone"
    if source in ("bench", "kernels"):
        if aim == "kernels" and Path(target).name.startswith("cuda_") and not sees_cuda(path, target):
            return "what knows no CUDA sees its driver alone"
        allowed = aim in ("kernels", "base") or target in KERNELS_MAY_SEE
        return None if allowed else "kernels sees base, the matrix and the backend interface alone"
    if path == "include/paperkin.h":
        return None if public else "a public header includes public headers alone"
    if path.startswith("include/") and not public:
        return "a public header includes public headers alone"
    if aim == "umbrella":
        return "modules include the public header that they need, not all of them"
    if aim not in RANK or source not in RANK:
        return f"no arrow leads from {source} to {aim}"
    return None if RANK[aim] <= RANK[source] else f"{source} stands left of {aim}, data flows the other way"


def resolve(root, path, name):
    """The file that an include names, relative to the root, searched as the compiler does; None where there is none."""
    folders = [Path(path).parent, Path("host"), Path("include")]
    if name.startswith("kernels/"):
        folders.append(Path("."))
    if name.startswith("support/"):
        folders.append(Path("tests"))
    for folder in folders:
        candidate = root / folder / name
        if candidate.is_file():
            return candidate.resolve().relative_to(root).as_posix()
    return None


def include_faults(root, path, text):
    for match in INCLUDE.finditer(text):
        quoted, angled, computed = match.groups()
        where = f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
        name = quoted or angled
        if computed:
            yield f"{where}: includes {computed}, which this check cannot follow"
            continue
        target = resolve(root, path, name)
        if target:
            reason = arrow_fault(path, target)
            if target.startswith("kernels/") and name != target:
                reason = f'kernels/ is named in full: "{target}"'
            if reason:
                yield f"{where}: must not include {name}: {reason}"
        elif quoted:
            yield f"{where}: includes {name}, which stands nowhere in the tree"
        else:
            if CUDA_LIBRARY.search(name) and not path.startswith(CUDA_PLACES):
                yield f"{where}: must not include <{name}>: only {' and '.join(CUDA_PLACES)} may see CUDA"
            if path.endswith(".cuh") and not CUDA_LIBRARY.search(name) and name != "stdint.h":
                yield f"{where}: must not include <{name}>: kernels themselves see <stdint.h> alone"
            for pattern, owners in LIBRARIES:
                if pattern.search(name) and module_of(path) not in owners:
                    yield f"{where}: must not include <{name}>: only {', '.join(sorted(owners))} may see that library"


def locale_faults(path, text):
    if not path.startswith("host/") or module_of(path) == "cli":
        return
    for match in INCLUDE.finditer(text):
        if match.group(2) in LOCALE_HEADERS:
            yield f"{path}: includes <{match.group(2)}>, which follows the caller's locale: use base/ascii.h"
    for match in LOCALE_CALLS.finditer(text):
        where = f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
        yield f"{where}: calls {match.group(1)}, which follows the caller's locale: use base/ascii.h"


def files_under(root, folders):
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(root).as_posix()


def name_faults(paths):
    seen = {}
    for path in paths:
        name = path.rsplit("/", 1)[-1]
        if name in FOREIGN_NAMES and path.startswith("tests/support/"):
            continue
        if not re.fullmatch(r"[a-z0-9_]+\.[a-z]+", name):
            yield f"{path}: file names are snake_case"
        # A module's public header and its private seam may share a name: "paperkin/x.h" and "module/x.h" tell them apart.
        seam = path.startswith("host/") and seen.get(name, "").startswith("include/") or \
            path.startswith("include/") and seen.get(name, "").startswith("host/")
        if name in seen and not seam:
            yield f"{path}: has the same name as {seen[name]}; file names are unique in the tree"
        seen.setdefault(name, path)


def tag_faults(root):
    tagged = [path for path in files_under(root, ["host", "kernels", "bench", "include", "tests", "cmake"])
              if Path(path).suffix in TAGGED or path.endswith("CMakeLists.txt")]
    scripts = [path for path in files_under(root, ["scripts", ".ci"]) if not path.endswith(".txt")]
    for path in tagged + scripts + [name for name in ["CMakeLists.txt"] if (root / name).is_file()]:
        with open(root / path, encoding="utf-8", errors="replace") as file:
            if "SPDX-License-Identifier: Apache-2.0" not in file.read(400):
                yield f"{path}: has no SPDX-License-Identifier line"


def check(root):
    """Every fault of the tree at `root`, as lines for people."""
    root = Path(root).resolve()
    faults = []
    sources = [path for path in files_under(root, ["host", "kernels", "bench", "include"])
               if Path(path).suffix in SOURCES]
    for path in sources:
        text = without_comments((root / path).read_text(encoding="utf-8", errors="replace"))
        faults += include_faults(root, path, text)
        faults += locale_faults(path, text)
        if Path(path).suffix in CXX and path not in CXX_SHIMS:
            faults.append(f"{path}: C++ stands in tests and in {', '.join(sorted(CXX_SHIMS))} alone")
        if Path(path).suffix in {".cu", ".cuh"} and not path.startswith("kernels/"):
            faults.append(f"{path}: CUDA stands in kernels/ alone")
        if not path.startswith("kernels/") and path not in CUDA_SWITCH and CUDA_CONDITION.search(text):
            faults.append(f"{path}: asks whether CUDA is built in; only {', '.join(sorted(CUDA_SWITCH))} may")
        if path.startswith("host/") and path.count("/") > 1 and module_of(path) not in RANK:
            faults.append(f"{path}: host/{path.split('/')[1]} is no module of this check's list")
    tests = [path for path in files_under(root, ["tests"]) if Path(path).suffix in SOURCES]
    return len(sources), faults + list(name_faults(sources + tests)) + list(tag_faults(root))


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    n_sources, faults = check(root)
    for fault in faults:
        print(fault)
    if n_sources == 0:
        print(f"{root}: holds no sources")
    print(f"{n_sources} sources read, {len(faults)} faults")
    return 1 if faults or n_sources == 0 else 0


if __name__ == "__main__":
    sys.exit(main())

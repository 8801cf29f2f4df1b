#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The C example of README.md is the one that the tests compile, and every file that the documents link to stands there.

Usage: readme_test.py ROOT
"""
import re
import sys
from pathlib import Path


def main():
    root = Path(sys.argv[1])
    faults = []
    blocks = re.findall(r"```c\n(.*?)```", (root / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    example = (root / "tests/examples/find_pairs.c").read_text(encoding="utf-8").split("\n", 1)[1]
    if blocks != [example]:
        faults.append("README.md: its C example is not tests/examples/find_pairs.c without the licence line")
    for page in [*root.glob("*.md"), *(root / "docs").glob("*.md"), root / "datasets" / "README.md"]:
        if "@@" in page.read_text(encoding="utf-8"):
            faults.append(f"{page.relative_to(root)}: a place marked @@ waits for its text")
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", re.sub(r"(?s)```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"))):
            if "://" not in target and not (page.parent / target).exists():
                faults.append(f"{page.relative_to(root)}: links to {target}, which is not there")
    print("\n".join(faults) or "documents agree with the tree")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the bundled digests and planted.tsv from the invented papers of papers.py, the same bytes every time.

Usage: make_datasets.py FOLDER          writes them
       make_datasets.py --check FOLDER  exit status 1 if the folder's files differ from what would be written
"""
import json
import re
import sys
from pathlib import Path

from papers import DECODER_V2, MONDAY, THURSDAY, TUESDAY, WEDNESDAY

LABELS = ["TL;DR", "Motivation", "Method", "Result", "Conclusion"]
MEMBERS = ["tldr", "motivation", "method", "result", "conclusion"]


def by_id(identifier):
    return next(paper for paper in MONDAY + TUESDAY + WEDNESDAY + THURSDAY if paper["id"] == identifier)


# What each digest lists, in order. Repeats of earlier days are planted by id.
DIGESTS = {
    "2026-03-02.md": MONDAY,
    # Two papers of Monday, and one paper twice in the file, as feeds list what stands in two categories.
    "2026-03-03.jsonl": TUESDAY[:4] + [by_id("2603.90009")] + TUESDAY[4:8] + [by_id("2603.90024")] + TUESDAY[8:]
                        + [by_id("2603.90101")],
    "2026-03-04.md": WEDNESDAY[:7] + [by_id("2603.90014")] + WEDNESDAY[7:],
    "2026-03-05_AI_enhanced_Chinese.jsonl": THURSDAY[:5] + [DECODER_V2] + THURSDAY[5:] + [by_id("2603.90121")],
}
# A Saturday that lists Thursday again, in another order.
DIGESTS["2026-03-07.jsonl"] = DIGESTS["2026-03-05_AI_enhanced_Chinese.jsonl"][::-1]

THURSDAY_FILE = "2026-03-05_AI_enhanced_Chinese.jsonl"
SPECIAL = [
    ("repeat_inside", "2026-03-03.jsonl", "2603.90101", "2603.90101", "listed twice in one file"),
    ("new_version", THURSDAY_FILE, "2603.90018", "2603.90018", "v2 on Thursday, v1 on Monday"),
    ("same_work", "2026-03-04.md", "2603.90211", "2512.90417", "announced again under another id: hide"),
    ("probably_same", THURSDAY_FILE, "2603.90305", "2511.90388", "retitled and extended after three months: fold"),
    ("series_part", THURSDAY_FILE, "2603.90320", "2602.90140", "Part II and Part I: link, never merge"),
    ("sister", "2026-03-04.md", "2603.90240", "2603.90030", "two fields of one survey: show both"),
    ("related", "2026-03-03.jsonl", "2603.90104", "2603.90009", "two papers on underwater images"),
    ("related", "2026-03-03.jsonl", "2603.90107", "2603.90014", "two papers on Finnic morphology"),
    ("related", THURSDAY_FILE, "2603.90311", "2603.90121", "two papers on joins"),
]


def identity(paper):
    """The id without its version."""
    return re.sub(r"v\d+$", "", paper["id"])


def planted():
    """Rows of planted.tsv: relation, file, id, other id, what it is."""
    rows, seen = [], {}
    for name, papers in DIGESTS.items():
        for paper in {identity(paper): paper for paper in papers}.values():
            key = identity(paper)
            if key in seen and not (name == THURSDAY_FILE and paper is DECODER_V2):
                rows.append(("repeat", name, key, key, f"first listed in {seen[key]}"))
        for paper in papers:
            seen.setdefault(identity(paper), name)
    for name, papers in DIGESTS.items():
        if name.endswith(".md") or "_AI_" in name:
            rows += [("failed_summary", name, identity(paper), "", "its summary never enters a vector")
                     for paper in papers if isinstance(paper["ai"], str)]
    return SPECIAL + rows


def summary_parts(paper):
    """The five summary texts; a failed summary repeats its error, as feeds write it."""
    return [paper["ai"]] * len(LABELS) if isinstance(paper["ai"], str) else list(paper["ai"])


def markdown_entry(number, paper):
    tldr, *details = summary_parts(paper)
    lines = [f"### [{number}] [{paper['title']}](https://arxiv.org/abs/{paper['id']})",
             f"*{','.join(paper['authors'])}*", "", f"Main category: {paper['categories'][0]}", "",
             f"TL;DR: {tldr}", "", "", "<details>", "  <summary>Details</summary>"]
    for label, text in zip(LABELS[1:], details):
        lines += [f"{label}: {text}", ""]
    lines += ["Abstract: " + "\n\n  ".join(paper["abstract"].split("\n")), "", "</details>", "", ""]
    return "\n".join(lines)


def markdown(papers, dropped=None):
    """A digest in Markdown. `dropped` names a category whose total counts one paper more than is listed."""
    sections = {}
    for paper in papers:
        sections.setdefault(paper["categories"][0], []).append(paper)
    out = ["<div id=toc></div>\n\n# Table of Contents\n\n"]
    for name, listed in sections.items():
        out.append(f"- [{name}](#{name}) [Total: {len(listed) + (name == dropped)}]\n")
    for name, listed in sections.items():
        out.append(f"\n\n<div id='{name}'></div>\n\n# {name} [[Back]](#toc)\n\n")
        out.append("\n".join(markdown_entry(number, paper) for number, paper in enumerate(listed, 1)))
    return "".join(out).rstrip("\n") + "\n"


def json_line(paper, enhanced):
    record = {"id": paper["id"], "categories": paper["categories"], "pdf": f"https://arxiv.org/pdf/{paper['id']}",
              "abs": f"https://arxiv.org/abs/{paper['id']}", "authors": paper["authors"], "title": paper["title"],
              "comment": paper["comment"], "summary": "\n  ".join(paper["abstract"].split("\n"))}
    if enhanced:
        record["AI"] = dict(zip(MEMBERS, summary_parts(paper)))
    return json.dumps(record, ensure_ascii=enhanced) + "\n"


def contents():
    """File name -> bytes."""
    files = {}
    for name, papers in DIGESTS.items():
        if name.endswith(".md"):
            text = markdown(papers, dropped="cs.CL" if name == "2026-03-02.md" else None)
            # Wednesday was saved on Windows: a byte order mark and carriage returns.
            windows = name == "2026-03-04.md"
            data = b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() if windows else text.encode()
        else:
            data = "".join(json_line(paper, "_AI_" in name) for paper in papers).encode()
        files[name] = data
    rows = [("relation", "file", "id", "other_id", "note")] + planted()
    files["planted.tsv"] = "".join("\t".join(row) + "\n" for row in rows).encode()
    return files


def main():
    check = sys.argv[1:2] == ["--check"]
    folder = Path(sys.argv[-1])
    status = 0
    for name, data in contents().items():
        path = folder / name
        if not check:
            path.write_bytes(data)
        elif not path.is_file() or path.read_bytes() != data:
            print(f"{path} is not what make_datasets.py writes; run it again")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())

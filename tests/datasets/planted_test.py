#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs `paperkin digest` on the bundled digests and checks that each planted relation is found, and that each
verdict that is told was planted.

Usage: planted_test.py PAPERKIN DATASETS
"""
import csv
import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PAPERKIN, DATASETS = "", Path()
VERDICTS = ["same_work", "probably_same", "series_part", "sister"]
LABELS = {"Same work as": "same_work", "Probably another version of": "probably_same",
          "Part of a series with": "series_part", "Sister paper of": "sister"}
BLOCK = re.compile(r"<!-- paperkin:begin -->\r?\n(.*?)<!-- paperkin:end -->\r?\n", re.DOTALL)
ARXIV_LINK = re.compile(r"arxiv\.org/abs/(\d{4}\.\d{5})")


def planted(relation):
    with open(DATASETS / "planted.tsv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["relation"] == relation]
    assert rows, f"planted.tsv plants no {relation}"
    return [(row["file"], row["id"], row["other_id"]) for row in rows]


def run(*arguments, ok=(0,)):
    done = subprocess.run([PAPERKIN, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode in ok, f"{arguments}: exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def digests():
    return sorted(DATASETS.glob("2026-*"))


def read_json_lines(text):
    """id -> {"seen": bool, "verdicts": {(verdict, other id)}, "related": {other id}, ...} of each record that says something."""
    said = {}
    for line in text.splitlines():
        record = json.loads(line)
        member = record.get("paperkin")
        if member:
            entry = said.setdefault(re.sub(r"v\d+$", "", record["id"]), {"records": 0})
            entry["records"] += 1
            entry["seen"] = entry.get("seen") or "seen" in member
            entry["new_version"] = entry.get("new_version") or member.get("new_version")
            entry["listed_above"] = entry.get("listed_above") or member.get("listed_above")
            entry.setdefault("verdicts", set()).update(
                (verdict["verdict"], verdict["key"].removeprefix("arxiv:")) for verdict in member.get("verdicts", []))
            entry.setdefault("related", set()).update(
                other["key"].removeprefix("arxiv:") for other in member.get("related", []))
    return said


def read_markdown(text):
    """The same from the blocks of a Markdown digest."""
    said = {}
    for entry in re.split(r"(?m)^(?=### \[)", text)[1:]:
        block = BLOCK.search(entry)
        if not block:
            continue
        verdicts, related = set(), set()
        for line in block.group(1).splitlines():
            link = ARXIV_LINK.search(line)
            label = next((label for label in LABELS if line.startswith(f"- **{label}**")), None)
            if label and link:
                verdicts.add((LABELS[label], link.group(1)))
            elif link and line.startswith("    - "):
                related.add(link.group(1))
        said[ARXIV_LINK.search(entry).group(1)] = {
            "seen": "- **Seen before**" in block.group(1), "new_version": "- **New version**" in block.group(1),
            "listed_above": "- **Listed above**" in block.group(1), "verdicts": verdicts, "related": related}
    return said


class Planted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.out = Path(cls.folder.name, "out")
        cls.store = Path(cls.folder.name, "store.db")
        cls.report = json.loads(run("digest", "--json", "--store", cls.store, "--out", cls.out, *digests()))
        cls.said = {}
        for path in digests():
            text = (cls.out / path.name).read_bytes().decode("utf-8-sig")
            cls.said[path.name] = read_markdown(text) if path.suffix == ".md" else read_json_lines(text)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def entry(self, file, identifier):
        self.assertIn(identifier, self.said[file], f"{file}: nothing is said about {identifier}")
        return self.said[file][identifier]

    def test_repeats(self):
        told = {(file, identifier) for file, said in self.said.items() for identifier, entry in said.items()
                if entry["seen"] and not entry["new_version"]}
        self.assertEqual(told, {(file, identifier) for file, identifier, _ in planted("repeat")})

    def test_repeat_inside_a_file(self):
        told = {(file, identifier) for file, said in self.said.items() for identifier, entry in said.items()
                if entry["listed_above"]}
        self.assertEqual(told, {(file, identifier) for file, identifier, _ in planted("repeat_inside")})

    def test_new_version(self):
        told = {(file, identifier) for file, said in self.said.items() for identifier, entry in said.items()
                if entry["new_version"]}
        self.assertEqual(told, {(file, identifier) for file, identifier, _ in planted("new_version")})
        for file, identifier, _ in planted("new_version"):
            self.assertEqual(self.entry(file, identifier)["new_version"], {"from": 1, "to": 2})

    def test_verdicts_in_later_digest(self):
        for verdict in VERDICTS:
            for file, identifier, other in planted(verdict):
                self.assertIn((verdict, other), self.entry(file, identifier)["verdicts"])

    def test_no_other_verdicts(self):
        expected = {(verdict, frozenset((identifier, other)))
                    for verdict in VERDICTS for _, identifier, other in planted(verdict)}
        told = {(verdict, frozenset((identifier, other))) for said in self.said.values()
                for identifier, entry in said.items() for verdict, other in entry["verdicts"]}
        self.assertEqual(told, expected)

    def test_related(self):
        for file, identifier, other in planted("related"):
            self.assertIn(other, self.entry(file, identifier)["related"])

    def test_whole_repeat_day_and_totals(self):
        files = {Path(file["path"]).name: file for file in self.report["files"]}
        saturday = files["2026-03-07.jsonl"]
        self.assertEqual(saturday["repeats"], saturday["papers"])
        self.assertEqual(files["2026-03-02.md"]["repeats"], 0)

    def test_strip_gives_the_bytes_back(self):
        stripped = Path(self.folder.name, "stripped")
        run("digest", "--strip", "--out", stripped, *(self.out / path.name for path in digests()))
        for path in digests():
            self.assertNotEqual((self.out / path.name).read_bytes(), path.read_bytes(), path.name)
            self.assertEqual((stripped / path.name).read_bytes(), path.read_bytes(), path.name)

    def test_running_again_changes_nothing(self):
        again = Path(self.folder.name, "again")
        run("digest", "--store", self.store, "--out", again, *digests())
        for path in digests():
            self.assertEqual((again / path.name).read_bytes(), (self.out / path.name).read_bytes(), path.name)

    def test_failed_summaries_are_not_read(self):
        for file, identifier, _ in planted("failed_summary"):
            papers = map(json.loads, run("read", DATASETS / file).splitlines())
            summaries = [paper["summary"] for paper in papers if paper["id"] == identifier]
            self.assertEqual(summaries, [""], f"{file}: {identifier}")

    def test_gate(self):
        store, out = Path(self.folder.name, "gate.db"), Path(self.folder.name, "new.jsonl")
        for name in ("2026-03-02.md", "2026-03-03.jsonl", "2026-03-04.md", "2026-03-05_AI_enhanced_Chinese.jsonl"):
            run("ingest", "--store", store, DATASETS / name)
        run("gate", "--store", store, "-o", out, DATASETS / "2026-03-07.jsonl", ok=(3,))
        self.assertEqual(out.read_bytes(), b"")


if __name__ == "__main__":
    PAPERKIN, DATASETS = sys.argv[1], Path(sys.argv[2])
    unittest.main(argv=sys.argv[:1])

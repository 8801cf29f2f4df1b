# SPDX-License-Identifier: Apache-2.0
"""What the sections of the quality harness share: the real data, paperkin's programs, and their results."""
import collections
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse


class Vectors(NamedTuple):
    path: Path  # of the .npz
    matrix: scipy.sparse.csr_matrix
    ids: list


class Clusters(NamedTuple):
    """By paper, in the order of `ids`; -1: in none."""
    ids: list
    threads: np.ndarray
    fields: np.ndarray
    labels: dict    # thread -> its label
    summary: dict   # what `paperkin cluster --json` says

    def n_threads(self):
        return int(self.threads.max(initial=-1)) + 1

    def n_fields(self):
        return int(self.fields.max(initial=-1)) + 1


def run(command, threads, stdin=None):
    """Standard output of a command that must succeed."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
    done = subprocess.run([str(word) for word in command], input=stdin, capture_output=True, env=environment, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nended with status {done.returncode}:\n{done.stderr.decode()}")
    return done.stdout.decode()


def records_of(path):
    """(line, record) of JSON lines, plain or .zst."""
    if path.suffix == ".zst":
        lines = subprocess.run(["zstd", "-dcq", str(path)], stdout=subprocess.PIPE, check=True).stdout.splitlines()
    else:
        lines = path.read_bytes().splitlines()
    return [(line, json.loads(line)) for line in lines if line.strip()]


def rows_of_table(path):
    """A table with a heading and tabs -> dictionaries."""
    with open(path, encoding="utf-8") as file:
        heading = next(file).rstrip("\n").split("\t")
        return [dict(zip(heading, line.rstrip("\n").split("\t"))) for line in file]


class Harness:
    def __init__(self, bin_folder, shared, folder, threads, quick=False):
        self.bin, self.shared, self.folder = Path(bin_folder), Path(shared), Path(folder)
        self.threads, self.quick = threads, quick
        self.begin, self.n_files = time.monotonic(), 0
        self.months = ("2512",) if quick else ("2511", "2512")
        self._corpus, self._month_vectors = None, {}

    def note(self, text):
        print(f"  {time.monotonic() - self.begin:4.0f} s  {text} ...", file=sys.stderr, flush=True)

    # --- the data ---

    @property
    def corpus_path(self):
        return self.shared / "corpus" / "arxiv-2025.jsonl.zst"

    @property
    def venues_path(self):
        return self.shared / "corpus" / "venues-20k.jsonl.zst"

    def evaluation(self, name):
        return self.shared / "eval" / name

    def corpus(self):
        if self._corpus is None:
            self._corpus = records_of(self.corpus_path)
        return self._corpus

    def month_lines(self, month):
        """The lines of one month's papers; months as in ids, 2512."""
        return [line for line, record in self.corpus() if record["id"].startswith(month + ".")]

    def categories(self):
        """id -> primary category."""
        return {record["id"]: (record.get("categories") or [""])[0] for _, record in self.corpus()}

    def topics(self):
        """(list, topic) -> ids, in the table's order."""
        found = collections.OrderedDict()
        for row in rows_of_table(self.evaluation("topics.tsv")):
            found.setdefault((row["list"], row["topic"]), []).append(row["arxiv_id"])
        return found

    def new_path(self, ending):
        self.n_files += 1
        return self.folder / f"{self.n_files:03}{ending}"

    def write_lines(self, lines):
        path = self.new_path(".jsonl")
        path.write_bytes(b"".join(line.rstrip(b"\n") + b"\n" for line in lines))
        return path

    # --- paperkin ---

    def vectorize(self, inputs, *options):
        path = self.new_path(".npz")
        run([self.bin / "paperkin", "vectorize", "--quiet", "--threads", self.threads, *options, "-o", path, *inputs],
            self.threads)
        ids = Path(str(path)[:-len(".npz")] + ".ids.txt").read_text(encoding="utf-8").split("\n")[:-1]
        return Vectors(path, scipy.sparse.load_npz(path).tocsr(), ids)

    def month_vectors(self, month):
        """Of a whole month, weighed as for related papers."""
        if month not in self._month_vectors:
            self._month_vectors[month] = self.vectorize([self.write_lines(self.month_lines(month))], "--features", "related")
        return self._month_vectors[month]

    def neighbors(self, vectors, k):
        """(row, row, cosine) of each row's k nearest."""
        path = self.new_path(".tsv")
        run([self.bin / "paperkin", "neighbors", "--quiet", "--threads", self.threads, "-k", k, "-o", path, vectors.path],
            self.threads)
        place = {paper: row for row, paper in enumerate(vectors.ids)}
        a, b, cosines = [], [], []
        with open(path, encoding="utf-8") as file:
            heading = next(file).rstrip("\n").split("\t")
            score, id_a, id_b = (heading.index(name) for name in ("score", "id_a", "id_b"))
            for line in file:
                cells = line.rstrip("\n").split("\t")
                a.append(place[cells[id_a]])
                b.append(place[cells[id_b]])
                cosines.append(float(cells[score]))
        return np.array(a), np.array(b), np.array(cosines)

    def cluster(self, inputs, *options):
        """`inputs`: files of papers, or one .npz."""
        path = self.new_path(".clusters.jsonl")
        said = run([self.bin / "paperkin", "cluster", "--quiet", "--json", "--threads", self.threads, "--format", "jsonl",
                    "-o", path, *options, *inputs], self.threads)
        ids, threads, fields, labels = [], [], [], {}
        with open(path, encoding="utf-8") as file:
            for record in map(json.loads, file):
                ids.append(record["id"])
                threads.append(record.get("thread", -1))
                fields.append(record.get("field", -1))
                if "thread" in record:
                    labels[record["thread"]] = record.get("label", "")
        return Clusters(ids, np.array(threads), np.array(fields), labels, json.loads(said))

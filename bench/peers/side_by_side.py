#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exact similarity side by side with its peers on one matrix, in one run. scripts/bench-peers builds what it needs and calls it.

Every program gets the same .npz of unit rows. paperkin's runs alternate with those of the peers; its figures are medians of the
repeats, a slow peer runs once. Seconds are wall-clock, from vectors in memory to the result in memory. All results are checked:
paperkin's methods and instruction sets against each other and against brute force in integers, to the bit; exact peers against
paperkin within their rounding. A difference ends the run with status 1.
"""
import argparse
import datetime
import hashlib
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
BENCH = HERE.parent
sys.path[:0] = [str(BENCH), str(HERE)]

import end_to_end  # noqa: E402
import growth  # noqa: E402
from tables import cell_seconds, plan_table, print_table, rates_table, recall_table, side_by_side_table, targets_table  # noqa: E402

CORPORA = ("arxiv-2025.jsonl.zst", "venues-20k.jsonl.zst")
PEERS = ("sparse_dot_topn", "scipy", "scikit_learn", "faiss")
LEVELS = ("amx", "avx512", "avx2", "portable")
RATE_DIMENSIONS = (256, 512, 1024)
TEXT_PAPERS = 134_072    # of the invented text that one program turns into pairs
CROSS_CHECK_ROWS = 20_000  # whole results of every method and instruction set are compared on this many rows


class Variant(NamedTuple):
    """A way in which paperkin is asked to work. `repeated`: in every round, else in the first alone."""
    key: str
    title: str
    method: str = "auto"
    level: str = "auto"
    threads: int = 0
    repeated: bool = True


def title_of(level):
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    return {"amx": "AMX", "avx512": "AVX-512 VNNI" if "avx512_vnni" in flags else "AVX-512", "avx2": "AVX2",
            "portable": "portable"}[level]


def variants_for(levels):
    """`levels`: the instruction sets of this machine, best first. Tiles matter to the sketch alone."""
    vectors = [level for level in levels if level != "amx"]
    plain = {"avx512": "AVX-512", "avx2": "AVX2", "portable": "portable"}
    made = [Variant("plan", "paperkin, as planned")]
    for number, level in enumerate(level for level in levels if level != "portable"):
        made.append(Variant(f"sketch-{level}", f"paperkin, sketch, {title_of(level)}", "sketch", level, repeated=number == 0))
    for number, level in enumerate(level for level in vectors if level != "portable"):
        made.append(Variant(f"tail-{level}", f"paperkin, tail, {plain[level]}", "tail", level, repeated=number == 0))
    made.append(Variant("index", f"paperkin, index, {plain[vectors[0]]}", "index", vectors[0], repeated=False))
    made.append(Variant("one-thread", "paperkin, as planned, 1 thread", threads=1, repeated=False))
    return made


class Comparison:
    def __init__(self, arguments, folder):
        self.arguments, self.folder, self.bin = arguments, Path(folder), Path(arguments.bin)
        self.threads, self.repeats = arguments.threads, arguments.repeats
        self.begin = time.monotonic()
        self.tasks = [f"join:{text}" for text in arguments.thresholds] + ([f"top:{arguments.top_k}"] if arguments.top_k else [])
        self.exact = self.folder / "exact"
        self.exact.mkdir()
        self.digests, self.notes = {}, []
        self.runs, self.rates, self.peaks = {}, {}, []  # variant -> task -> lines; dimension -> lines
        self.peers, self.onednn, self.program, self.checks = {}, {}, {}, []

    # --- running ---

    def note(self, text):
        print(f"  {time.monotonic() - self.begin:4.0f} s  {text} ...", file=sys.stderr, flush=True)

    def left(self):
        return self.arguments.limit_seconds - (time.monotonic() - self.begin)

    def leave_out(self, what):
        """Whether there is no time left for it; that is told below the table."""
        if self.left() > 0:
            return False
        self.notes.append(f"{what}: left out, the limit of {self.arguments.limit_seconds:.0f} s was reached")
        return True

    def json_lines(self, command, what):
        """The JSON lines of a program that must succeed; those that came in time where it was over the limit."""
        environment = dict(os.environ, OMP_NUM_THREADS=str(self.threads), OPENBLAS_NUM_THREADS=str(self.threads))
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                     env=environment)
            try:
                code = child.wait(timeout=max(10.0, self.left()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                code = 0
                self.notes.append(f"{what}: ended at the limit of {self.arguments.limit_seconds:.0f} s; what was done is shown")
            out.seek(0)
            err.seek(0)
            if code != 0:
                sys.exit(f"{' '.join(map(str, command))}\nended with status {code}:\n{err.read().decode()}")
            return [json.loads(line) for line in out.read().decode().splitlines() if line.endswith("}")]

    def driver(self, jobs, threads=None, matrix=None, out=None):
        command = [self.bin / "bench_similarity", matrix or self.matrix, "--threads", threads or self.threads]
        if out is not None:
            out.mkdir(exist_ok=True)
            command += ["--write", out]
        return self.json_lines([*command, *jobs], "paperkin")

    # --- the matrix ---

    def prepare(self):
        arguments = self.arguments
        self.matrix = self.folder / "matrix.npz"
        if arguments.generate:
            self.generate(arguments.generate)
        elif arguments.corpus and arguments.corpus[0].suffix == ".npz":
            self.adopt(arguments.corpus[0])
        else:
            self.note("vectorising " + ", ".join(path.name for path in arguments.corpus))
            self.vectorize(arguments.corpus)
        lines = self.driver([f"peak:{level}" for level in LEVELS])
        self.size = {key: int(lines[0][key]) for key in ("rows", "columns", "nonzeros")}
        self.levels = [line["job"].split(":")[1] for line in lines[1:] if "unsupported" not in line]
        self.peaks.append(next(line for line in lines if line.get("instruction_set") == self.levels[0])["operations_per_second"])
        self.variants = variants_for(self.levels)

    def vectorize(self, paths):
        end_to_end.run_timed([self.bin / "paperkin", "vectorize", "--quiet", "--threads", self.threads, "--features", "plain",
                              "-o", self.matrix, *paths])

    def generate(self, n_rows):
        """Rows by paperkin itself where it can, else from an invented text."""
        self.note(f"generating {n_rows:,} rows")
        made = subprocess.run([str(self.bin / "paperkin"), "bench", "--generate", str(n_rows), "--write-matrix", str(self.matrix),
                               "-t", "1", "--repeat", "1", "--no-verify"],
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if made.returncode != 0 or not self.matrix.is_file():
            self.vectorize([self.invented_text(n_rows)])

    def invented_text(self, n_papers):
        path = self.folder / f"invented-{n_papers}.jsonl"
        end_to_end.run_timed([sys.executable, BENCH / "generate_corpus.py", n_papers, path])
        return path

    def mixed_text(self, paths, n_papers):
        """The real records, and as many more as are wanted whose sentences each come from another real paper."""
        out = self.folder / f"mixed-{n_papers}.jsonl"
        draw = random.Random(20260302)
        with open(out, "w", encoding="utf-8") as file:
            records = []
            for path in paths:
                with open(path, encoding="utf-8") as lines:
                    for line in lines:
                        file.write(line)
                        record = json.loads(line)
                        records.append((record["title"], record.get("summary") or record.get("abstract") or ""))
            for number in range(len(records), n_papers):
                title, _ = draw.choice(records)
                sentences = [draw.choice(draw.choice(records)[1].split(". ")) for _ in range(8)]
                file.write(json.dumps({"id": f"mixed.{number}", "title": title, "summary": ". ".join(sentences)}) + "\n")
        return out

    def adopt(self, path):
        """A matrix of the caller's, its rows scaled to length 1, which the brute force stands on."""
        import numpy
        import scipy.sparse
        matrix = scipy.sparse.csr_matrix(scipy.sparse.load_npz(path), dtype=numpy.float64)
        matrix.sum_duplicates()
        lengths = numpy.sqrt(matrix.multiply(matrix).sum(axis=1)).A1
        scale = scipy.sparse.diags(1 / numpy.where(lengths > 0, lengths, 1))
        scipy.sparse.save_npz(self.matrix, (scale @ matrix).tocsr(), compressed=False)

    # --- paperkin ---

    def round(self, number):
        self.note(f"paperkin, round {number + 1} of {self.repeats}")
        for threads in (0, 1):
            chosen = [variant for variant in self.variants
                      if (variant.repeated or number == 0) and bool(variant.threads) == bool(threads)]
            jobs = [(variant, task) for variant in chosen for task in self.tasks]
            rates = [] if threads else [f"{self.tasks[0]}:sketch:{self.levels[0]}:{dimension}" for dimension in RATE_DIMENSIONS]
            peaks = [] if threads else [f"peak:{self.levels[0]}"]
            if jobs:
                texts = [f"{task}:{variant.method}:{variant.level}" for variant, task in jobs]
                self.take_round(jobs, rates, self.driver([*texts, *rates, *peaks], threads, out=self.folder / "out")[1:])

    def take_round(self, jobs, rates, lines):
        for place, line in enumerate(lines):
            if "unsupported" in line:
                self.notes.append(f"{line['job']}: {line['unsupported']}")
                continue
            if place < len(jobs):
                variant, task = jobs[place]
                self.runs.setdefault(variant.key, {}).setdefault(task, []).append(line)
                self.compare(task, self.folder / "out" / f"{place}.bin", line["job"])
            elif place < len(jobs) + len(rates):
                self.rates.setdefault(RATE_DIMENSIONS[place - len(jobs)], []).append(line)
                self.compare(self.tasks[0], self.folder / "out" / f"{place}.bin", line["job"])
            else:
                self.peaks.append(line["operations_per_second"])

    def compare(self, task, path, what):
        """The whole result must be the same bytes as the first of that task, which is kept for the peers."""
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if task not in self.digests:
            self.digests[task] = digest
            path.replace(self.exact / (task.replace(":", "-") + ".bin"))
        elif self.digests[task] != digest:
            sys.exit(f"{what}: not the same bits as the first result of {task}")
        else:
            path.unlink()

    def cross_check(self):
        """Every method on every instruction set, several sketches, one thread: whole results on part of the rows."""
        if self.leave_out("comparing all methods and instruction sets"):
            return
        import peer
        import scipy.sparse
        self.note("comparing all methods and instruction sets")
        part, n_rows = self.folder / "part.npz", min(CROSS_CHECK_ROWS, self.size["rows"])
        scipy.sparse.save_npz(part, peer.read_matrix(self.matrix, "float64")[:n_rows], compressed=False)
        ways = [f"{method}:{level}" for level in self.levels for method in ("sketch", "tail", "index")]
        ways += [f"sketch:{self.levels[0]}:{dimension}" for dimension in (64, 1024)]
        n_compared = 0
        for threads in (self.threads, 1):
            ways = ways if threads > 1 else ["auto:auto"]
            for task in self.tasks:
                out = self.folder / "part"
                lines = self.driver([f"{task}:{way}" for way in ways], threads, part, out)[1:]
                done = [place for place, line in enumerate(lines) if "unsupported" not in line]
                key = f"part:{task}"
                for place in done:
                    digest = hashlib.sha256((out / f"{place}.bin").read_bytes()).hexdigest()
                    if self.digests.setdefault(key, digest) != digest:
                        sys.exit(f"{lines[place]['job']} on {n_rows} rows: not the same bits as the first result of {task}")
                n_compared += len(done)
        self.checks.append(f"{n_compared} whole results on {n_rows:,} rows, every method on every instruction set: the same bits")

    def brute_force(self):
        self.note("brute force")
        lines = self.json_lines([sys.executable, HERE / "brute_force.py", *self.peer_words()], "brute force")
        for line in lines:
            self.checks.append(f"{line['task']}: {line['rows']:,} rows against all by brute force in integers, "
                               f"{line['pairs']:,} results: the same bits")

    # --- peers ---

    def peer_words(self):
        words = [self.matrix, "--exact", self.exact, "--threads", self.threads]
        for task in self.tasks:
            kind, value = task.split(":")
            words += ["--join", value] if kind == "join" else ["--top-k", value]
        return words

    def run_peer(self, name):
        if self.leave_out(name):
            return
        self.note(name)
        try:
            lines = self.json_lines([sys.executable, HERE / f"run_{name}.py", *self.peer_words(), "--dimensions",
                                     self.arguments.dimensions], name)
        except SystemExit as problem:
            if "ModuleNotFoundError" not in str(problem):
                raise
            self.notes.append(f"{name}: not installed here")
            return
        for line in lines[1:]:
            if line.get("agrees") is False:
                sys.exit(f"{name}: its result of {line['task']} is not paperkin's, beyond rounding")
        self.peers[name] = dict(lines[0], tasks=lines[1:]) if lines else {}

    def run_onednn(self):
        program = self.bin / "bench_onednn"
        if not program.is_file():
            self.notes.append("oneDNN: not built (version 2 of its development package was not found)")
        elif not self.leave_out("oneDNN"):
            self.note("oneDNN")
            self.onednn = {"version": None}
            for line in self.json_lines([program, self.threads, 1.0, *RATE_DIMENSIONS], "oneDNN"):
                if "version" in line:
                    self.onednn["version"] = line["version"]
                else:
                    self.onednn[line["dimension"]] = line

    # --- from text to pairs ---

    def run_program(self):
        if not self.arguments.program or self.leave_out("one program from text to pairs"):
            return
        texts = {}
        plain = [self.decompressed(path) for path in self.arguments.corpus or [] if path.suffix != ".npz"]
        if plain:
            texts["corpus"] = plain
        self.note(f"a text of {self.arguments.text_papers:,} papers")
        if plain:
            texts["mixed"] = [self.mixed_text(plain, self.arguments.text_papers)]
        else:
            texts["invented"] = [self.invented_text(self.arguments.text_papers)]
        self.note("one program from text to pairs")
        for key, paths in texts.items():
            command = [self.bin / "paperkin", "pairs", "--quiet", "--threads", self.threads, "-t", "0.5", "-o",
                       self.folder / "pairs.tsv", *paths]
            times = [end_to_end.run_timed(command) for _ in range(self.repeats)]
            n_pairs = count_lines(self.folder / "pairs.tsv") - 1  # below the heading
            self.program[key] = {"papers": sum(count_lines(path) for path in paths), "pairs": n_pairs,
                                 "seconds": [each[0] for each in times], "peak_bytes": max(each[1] for each in times)}

    def decompressed(self, path):
        tools = {".zst": "zstd", ".gz": "gzip"}
        if path.suffix not in tools:
            return path
        plain = self.folder / path.stem
        with open(plain, "wb") as out:
            subprocess.run([tools[path.suffix], "-dcq", str(path)], stdout=out, check=True)
        return plain

    # --- all of it ---

    def run(self):
        self.prepare()
        for number in range(self.repeats):
            self.round(number)
            if number == 0:
                self.brute_force()
            for name in self.arguments.peers[number::self.repeats]:
                self.run_peer(name)
        self.run_onednn()
        self.run_program()
        self.cross_check()
        self.growth = growth.measure(self) if self.arguments.growth else None
        n_same = sum(len(lines) for tasks in self.runs.values() for lines in tasks.values())
        self.checks.insert(0, f"{n_same} whole results of the methods and instruction sets timed here: the same bits")

    def seconds(self, variant, task):
        """Median, or None."""
        lines = self.runs.get(variant, {}).get(task)
        return statistics.median(line["seconds"] for line in lines) if lines else None

    def peer_seconds(self, name, task, variant=None):
        for line in self.peers.get(name, {}).get("tasks", ()):
            if line["task"] == task and line.get("variant") == variant:
                return line["seconds"]
        return None


def count_lines(path):
    with open(path, "rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


def print_all(compared, host, load):
    size, corpus = compared.size, corpus_name(compared.arguments)
    print(f"{corpus}: {size['rows']:,} rows, {size['columns']:,} columns, {size['nonzeros']:,} nonzeros; "
          f"{compared.threads} threads, paperkin median of {compared.repeats}")
    print(f"{host['cpu']}, {host['cores']} cores, {title_of(compared.levels[0])}; {host['compiler']}; {host['system']}")
    if load > 0.5:
        print(f"The machine was not idle (load {load:.1f} of 1 at the start): take the figures with care.")
    print_table(*side_by_side_table(compared))
    print("\n~ extrapolated from a part; ratios: how many times as long as paperkin as planned.")
    for table in (plan_table(compared), recall_table(compared), rates_table(compared, title_of), targets_table(compared)):
        if table[1]:
            print_table(*table)
    for key, program in compared.program.items():
        text = {"invented": "an invented text", "mixed": "those and mixtures of their sentences"}.get(key, corpus)
        print(f"\nJSON lines to exact pairs in one program, {text}: {program['papers']:,} records, {program['pairs']:,} pairs, "
              f"{cell_seconds(statistics.median(program['seconds']))}, {program['peak_bytes'] / 1e9:.2f} GB")
    print("\nChecked:")
    for text in compared.checks:
        print(f"- {text}")
    for text in dict.fromkeys(compared.notes):
        print(f"Note: {text}")


def corpus_name(arguments):
    if arguments.generate:
        return f"{arguments.generate:,} generated rows"
    return " and ".join(path.name for path in arguments.corpus)


def save(compared, host, load):
    name = re.sub(r"[^a-z0-9]+", "-", host["cpu"].lower()).strip("-")
    path = compared.arguments.save or BENCH / "results" / f"{datetime.date.today().isoformat()}-{name}-{host['cores']}-peers.json"
    path.parent.mkdir(exist_ok=True)
    targets = [dict(zip(("measure", "figure", "target", "met"), row)) for row in targets_table(compared)[1]]
    path.write_text(json.dumps({
        "kind": "peers", "corpus": corpus_name(compared.arguments), "size": compared.size, "threads": compared.threads,
        "repeats": compared.repeats, "load": load, "machine": host, "levels": compared.levels,
        "packages": dict(end_to_end.packages(), oneDNN=compared.onednn.get("version")),
        "tasks": compared.tasks, "titles": {variant.key: variant.title for variant in compared.variants},
        "paperkin": compared.runs, "peers": compared.peers, "filter": compared.rates, "peaks": compared.peaks,
        "onednn": compared.onednn, "program": compared.program, "growth": compared.growth, "targets": targets,
        "checks": compared.checks, "notes": compared.notes}, indent=1) + "\n", encoding="utf-8")
    print(f"\nsaved: {os.path.relpath(path)}")


def parse():
    parser = argparse.ArgumentParser(prog="scripts/bench-peers", description="Exact similarity side by side with its peers: "
                                     "one run, one matrix, one table. Results are checked against brute force and each other.")
    parser.add_argument("--corpus", type=Path, nargs="+", help="JSON lines or digests, plain, .gz or .zst, or one matrix .npz "
                        "(default: the real corpora in $PAPERKIN_SHARED_DIR or ../shared, else generated rows)")
    parser.add_argument("--generate", type=int, metavar="N", help="N generated rows instead")
    parser.add_argument("--thresholds", default="0.5,0.3", help="of the joins, with commas between them (%(default)s)")
    parser.add_argument("--top-k", type=int, default=10, help="neighbours of each row; 0: leave that out (%(default)s)")
    parser.add_argument("--threads", type=int, default=4, help="of every program that can use them (%(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="of paperkin's runs; a slow peer runs once (%(default)s)")
    parser.add_argument("--peers", default=",".join(PEERS), metavar="LIST", help="which, or none (%(default)s)")
    parser.add_argument("--dimensions", default="256,512", help="of the dense reduction for FAISS (%(default)s)")
    parser.add_argument("--growth", nargs="?", const=growth.ROWS, metavar="FROM:TO",
                        help="also time growing numbers of generated rows, beside the plan's estimates (%(const)s)")
    parser.add_argument("--no-program", dest="program", action="store_false", help="leave out the run from text to pairs")
    parser.add_argument("--text-papers", type=int, default=TEXT_PAPERS, help="of the invented text (%(default)s)")
    parser.add_argument("--limit-seconds", type=float, default=900, metavar="S", help="start nothing new after that (%(default)s)")
    parser.add_argument("--save", nargs="?", type=Path, const=False, metavar="FILE",
                        help="write the figures to FILE (default: bench/results/<date>-<machine>-peers.json)")
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--compiler", default="", help=argparse.SUPPRESS)
    return parser, parser.parse_args()


def checked(parser, arguments):
    arguments.thresholds = [text for text in arguments.thresholds.split(",") if text]
    arguments.peers = [] if arguments.peers == "none" else arguments.peers.split(",")
    if not arguments.thresholds or not all(0 < float(text) <= 1 for text in arguments.thresholds):
        parser.error("--thresholds: at least one above 0 and at most 1 is needed")
    for name in arguments.peers:
        if name not in PEERS:
            parser.error(f"--peers: no peer {name!r}; there are {', '.join(PEERS)} and none")
    for path in arguments.corpus or ():
        if not path.is_file():
            parser.error(f"{path}: no such file")
    if not arguments.corpus and not arguments.generate:
        shared = Path(os.environ.get("PAPERKIN_SHARED_DIR") or BENCH.parent.parent / "shared") / "corpus"
        arguments.corpus = [shared / name for name in CORPORA if (shared / name).is_file()]
        if not arguments.corpus:
            arguments.generate = 86_000
    return arguments


def main():
    arguments = checked(*parse())
    load = os.getloadavg()[0] / len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="paperkin-peers-") as folder:
        compared = Comparison(arguments, folder)
        compared.run()
    host = end_to_end.machine(arguments.compiler)
    print_all(compared, host, load)
    if arguments.save is not None:
        save(compared, host, load)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times paperkin as its users meet it and prints one table. scripts/bench builds what it needs and calls it.

Every figure is the median of the repeats, in wall-clock seconds on a machine that should be idle. A ratio compares the
medians of two programs that ran in turn in this same run. Peak memory is the largest resident set of the process, as
the kernel counted it.
"""
import argparse
import datetime
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
N_NEW = 300  # papers of the daily job
NEW_DAY, HISTORY_DAY = "2025-12-02", "2025-12-01"


def run_timed(command, quiet=True):
    """(seconds, peak memory in bytes, standard output) of a command that must succeed."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.perf_counter()
        child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if child.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))}\nended with status {child.returncode}:\n{err.read().decode()}")
        return seconds, usage.ru_maxrss * 1024, out.read().decode()


def figures(text):
    """`name<TAB>value` lines -> name -> list of values, in order."""
    found = {}
    for line in text.splitlines():
        name, value = line.split("\t")
        found.setdefault(name, []).append(float(value))
    return found


def median_sum(found, *names):
    return statistics.median(sum(values) for values in zip(*(found[name] for name in names)))


class Bench:
    def __init__(self, arguments, folder):
        self.bin, self.threads, self.repeats = Path(arguments.bin), arguments.threads, arguments.repeats
        self.peers, self.folder = arguments.peers, Path(folder)
        self.rows, self.results = [], {}
        self.corpus = self.prepare(arguments.corpus, arguments.papers)

    def note(self, text):
        print(f"  {text} ...", file=sys.stderr, flush=True)

    def row(self, key, what, figure, target="", met=None, **values):
        self.rows.append((what, figure, target, "" if met is None else "yes" if met else "NO"))
        self.results[key] = dict(values, what=what, figure=figure, target=target, met=met)

    def prepare(self, corpus, n_papers):
        """The corpus, decompressed and in memory's reach, so that both sides read the same plain file."""
        plain = self.folder / "corpus.jsonl"
        if corpus is None:
            self.note(f"generating {n_papers} invented papers")
            run_timed([sys.executable, HERE / "generate_corpus.py", n_papers, plain])
        elif corpus.suffix == ".zst":
            with open(plain, "wb") as out:
                subprocess.run(["zstd", "-dcq", str(corpus)], stdout=out, check=True)
        elif corpus.suffix == ".gz":
            with open(plain, "wb") as out:
                subprocess.run(["gzip", "-dc", str(corpus)], stdout=out, check=True)
        else:
            plain = corpus.resolve()
        self.lines = plain.read_bytes().splitlines(keepends=True)
        return plain

    def vectorize(self):
        self.note("reading and vectorising")
        ours = {}
        theirs = {}
        for _ in range(self.repeats):  # in turn, so that a busy moment of the machine meets both
            for name, value in figures(run_timed([self.bin / "bench_vectorize", self.corpus, self.threads, 1])[2]).items():
                ours.setdefault(name, []).extend(value)
            if self.peers:
                for name, value in figures(run_timed([sys.executable, HERE / "peer_scikit_learn.py", self.corpus, 1])[2]).items():
                    theirs.setdefault(name, []).extend(value)
        seconds = median_sum(ours, "read", "vectorize")
        self.row("read", "reading JSON lines", f"{median_sum(ours, 'read'):.2f} s", seconds=median_sum(ours, "read"))
        self.row("vectorize", "reading and vectorising, tokenizer `words`", f"{seconds:.2f} s", seconds=seconds,
                 terms=ours["terms"][0], nonzeros=ours["nonzeros"][0])
        if theirs:
            same = [ours[name][0] == theirs[name][0] for name in ("papers", "terms", "nonzeros")]
            if not all(same):
                sys.exit(f"paperkin and scikit-learn made different matrices: {ours} {theirs}")
            peer = median_sum(theirs, "read", "vectorize")
            self.row("scikit_learn", "the same by json and TfidfVectorizer, 1 process", f"{peer:.2f} s", seconds=peer)
            ratio = peer / seconds
            self.row("vectorize_ratio", "how many times as fast", f"{ratio:.1f}x", "at least 10x", ratio >= 10, ratio=ratio)

    def daily(self):
        paperkin = self.bin / "paperkin"
        history, today = self.folder / "history.jsonl", self.folder / f"{NEW_DAY}.jsonl"
        n_new = min(N_NEW, len(self.lines) // 2)
        history.write_bytes(b"".join(self.lines[:-n_new]))
        today.write_bytes(b"".join(self.lines[-n_new:]))
        self.note("ingesting the history")
        store = self.folder / "history.db"
        seconds, peak, _ = run_timed([paperkin, "ingest", "--quiet", "--threads", self.threads, "--store", store,
                                      "--date", HISTORY_DAY, history])
        self.row("ingest", f"ingesting the history ({len(self.lines) - n_new:,} papers)", f"{seconds:.2f} s",
                 seconds=seconds, peak_bytes=peak)
        self.note("daily job")
        times, peaks = [], []
        for repeat in range(self.repeats):
            copy, out = self.folder / "copy.db", self.folder / "out"
            shutil.copyfile(store, copy)
            seconds, peak, _ = run_timed([paperkin, "digest", "--quiet", "--threads", self.threads, "--store", copy,
                                          "--out", out, today])
            times.append(seconds)
            peaks.append(peak)
            if repeat == 0:
                self.check_daily(out / today.name, n_new)
            for leftover in self.folder.glob("copy.db*"):
                leftover.unlink()
            shutil.rmtree(out)
        seconds, peak = statistics.median(times), max(peaks)
        self.row("daily", f"daily job: {n_new} new papers against that history", f"{seconds:.2f} s", "< 2 s",
                 seconds < 2, seconds=seconds, all_seconds=times)
        self.row("daily_memory", "its peak memory", f"{peak / 1e9:.2f} GB", "< 1.5 GB", peak < 1.5e9, peak_bytes=peak)

    def check_daily(self, path, n_new):
        """A run that linked nothing would be fast as well."""
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        n_linked = sum(bool(record.get("paperkin", {}).get("related")) for record in records)
        if len(records) != n_new or n_linked == 0:
            sys.exit(f"the daily job wrote {len(records)} records, {n_linked} with related papers; expected {n_new} records")
        self.results["daily_linked"] = {"what": "papers of the daily job with related links", "papers": n_linked}

    def similarity(self):
        for preset in ("plain", "related"):
            self.note(f"top-10 and join, {preset} features")
            matrix = self.folder / f"{preset}.npz"
            run_timed([self.bin / "paperkin", "vectorize", "--quiet", "--keep-repeats", "--threads", self.threads, "--features",
                       preset, "-o", matrix, self.corpus])
            lines = [json.loads(line) for line in run_timed([
                self.bin / "bench_similarity", matrix, "--threads", self.threads, "--repeats", self.repeats, "--check", 16,
                "top:10", "join:0.5"])[2].splitlines()]
            top_k, join = (statistics.median(line["seconds"] for line in lines if line.get("job") == job)
                           for job in ("top:10", "join:0.5"))
            neighbors, pairs = lines[-2]["n_results"], lines[-1]["n_results"]
            self.row(f"top_10_{preset}", f"exact top-10 of all papers, {preset} features", f"{top_k:.2f} s", "< 15 s",
                     top_k < 15, seconds=top_k, neighbors=neighbors, nonzeros=lines[0]["nonzeros"])
            self.row(f"join_{preset}", f"every pair >= 0.5, {preset} features ({pairs:,.0f} pairs)",
                     f"{join:.2f} s", seconds=join, pairs=pairs)
        if self.peers:
            self.peer_top_k()

    def peer_top_k(self):
        try:
            import sparse_dot_topn  # noqa: F401
        except ImportError:
            return
        self.note("top-10 by sparse_dot_topn")
        found = figures(run_timed([sys.executable, HERE / "peer_sparse_dot_topn.py", self.corpus, self.threads, 10])[2])
        self.row("sparse_dot_topn", "top-10 by sparse_dot_topn, scikit-learn's plain vectors", f"{found['top_k'][0]:.2f} s",
                 seconds=found["top_k"][0])


def machine(compiler):
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    system = re.search(r'^PRETTY_NAME="?(.*?)"?$', Path("/etc/os-release").read_text(encoding="utf-8"), re.MULTILINE)
    return {"cpu": model.group(1) if model else platform.machine(), "cores": len(os.sched_getaffinity(0)),
            "compiler": compiler, "system": system.group(1) if system else platform.system(),
            "python": platform.python_version()}


def packages():
    found = {}
    for name in ("numpy", "scipy", "sklearn", "sparse_dot_topn"):
        try:
            found[name] = __import__(name).__version__
        except (ImportError, AttributeError):
            pass
    return found


def print_table(bench, host, name, load):
    print(f"{name}: {len(bench.lines):,} papers; {bench.threads} threads, median of {bench.repeats}")
    print(f"{host['cpu']}, {host['cores']} cores; {host['compiler']}; {host['system']}")
    if load > 0.5:
        print(f"The machine was not idle (load {load:.1f} at the start): take the figures with care.")
    heading = ("measure", "figure", "target", "met")
    widths = [max(len(row[column]) for row in [heading, *bench.rows]) for column in range(4)]
    print()
    for number, row in enumerate([heading, *bench.rows]):
        aligned = [row[0].ljust(widths[0]), row[1].rjust(widths[1]), row[2].ljust(widths[2]), row[3].ljust(widths[3])]
        print("| " + " | ".join(aligned) + " |")
        if number == 0:
            print("|-" + "-|-".join("-" * width for width in widths[:1]) + "-|-" + "-" * widths[1] + ":|-"
                  + "-|-".join("-" * width for width in widths[2:]) + "-|")


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Times paperkin and prints one table.")
    parser.add_argument("corpus", nargs="?", type=Path, help="JSON lines, plain, .gz or .zst (default: the real corpus "
                        "in $PAPERKIN_SHARED_DIR or ../shared, else an invented one)")
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--compiler", default="", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--papers", type=int, default=66454, help="size of the invented corpus")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="leave out scikit-learn and other peers")
    parser.add_argument("--save", action="store_true", help="write the figures to bench/results/<date>-<machine>.json")
    arguments = parser.parse_args()
    if arguments.corpus is None:
        shared = Path(os.environ.get("PAPERKIN_SHARED_DIR") or HERE.parent.parent / "shared")
        real = shared / "corpus" / "arxiv-2025.jsonl.zst"
        arguments.corpus = real if real.is_file() else None
    elif not arguments.corpus.is_file():
        sys.exit(f"{arguments.corpus}: no such file")
    load = os.getloadavg()[0] / len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="paperkin-bench-") as folder:
        bench = Bench(arguments, folder)
        bench.vectorize()
        bench.daily()
        bench.similarity()
    host = machine(arguments.compiler)
    name = arguments.corpus.name if arguments.corpus else "invented corpus"
    print_table(bench, host, name, load)
    if arguments.save:
        path = HERE / "results" / (f"{datetime.date.today().isoformat()}-"
                                   f"{re.sub(r'[^a-z0-9]+', '-', host['cpu'].lower()).strip('-')}-{host['cores']}.json")
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"corpus": name, "papers": len(bench.lines), "threads": bench.threads,
                                    "repeats": bench.repeats, "load": load, "machine": host, "packages": packages(),
                                    "measures": bench.results}, indent=1) + "\n", encoding="utf-8")
        print(f"\nsaved: {path.relative_to(HERE.parent)}")


if __name__ == "__main__":
    main()

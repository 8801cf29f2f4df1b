#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the tables of scripts/gpu-check: reads DIR/raw, writes DIR/gpu-check.json and DIR/gpu-check.md.

usage: gpu_report.py DIR

Python 3.8 and its standard library. What is missing in DIR/raw is missing in the tables; nothing is made up.
"""
import json
import re
import sys
from pathlib import Path

STAGES = ["environment", "build", "tests", "parity", "filters", "bench", "peers", "memcheck", "racecheck", "initcheck",
          "synccheck"]
VERSION = 1


def read_text(path):
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def read_json(path):
    """The object in the file, or None: where there is none, and where the program was ended in the middle of it."""
    try:
        return json.loads(read_text(path))
    except ValueError:
        return None


def read_environment(raw):
    environment = {"gpus": []}
    for line in read_text(raw / "environment.txt").splitlines():
        key, _, value = line.partition("=")
        if key == "gpu":
            fields = [field.strip() for field in value.split(",")]
            names = ["index", "name", "driver", "memory", "capability", "clock", "power_limit", "uuid"]
            environment["gpus"].append(dict(zip(names, fields)))
        elif value:
            environment[key] = value
    return environment


def read_stages(raw):
    stages = {}
    for name in STAGES:
        fields = read_text(raw / f"{name}.status").rstrip("\n").split("\t", 2)
        if len(fields) == 3:
            stages[name] = {"outcome": fields[0], "seconds": int(fields[1]), "said": fields[2]}
    return stages


def read_parity(raw):
    lines = read_text(raw / "parity.txt").splitlines()
    cases = [re.match(r"(ok|FAIL)\s+(.*?)\s+(\S+( \(all GPUs\))?)\s+(\d+) runs,\s+(\d+) results,\s+([\d.]+) s", line) for line in lines]
    cases = [{"case": m.group(2), "filter": m.group(3), "equal": m.group(1) == "ok", "runs": int(m.group(5)),
              "results": int(m.group(6)), "seconds": float(m.group(7))} for m in cases if m]
    summary = [m for m in (re.match(r"gpu_parity: (\d+) runs of (\d+) cases on (.*), (\d+) cases differ", line)
                           for line in lines) if m]
    if not cases and not summary:
        return None
    return {"finished": bool(summary), "device": summary[-1].group(3) if summary else "",
            "runs": sum(case["runs"] for case in cases), "different": sum(not case["equal"] for case in cases),
            "cases": cases, "left_out": [line for line in lines if line.startswith("left out: ")]}


def read_pipeline(raw):
    text = read_text(raw / "pipeline.txt")
    summary = re.search(r"^gpu_pipeline_parity: (\d+) ways on .*, (\d+) answers wrong", text, re.MULTILINE)
    if not summary:
        return None
    return {"ways": int(summary.group(1)), "wrong": int(summary.group(2)),
            "failed": re.findall(r"^FAIL  (.*)", text, re.MULTILINE)}


def read_kernels(raw):
    """What gpu_kernel_parity said, a line a kernel; the last line of a run that never ended says neither."""
    kernels = []
    for path in sorted(raw.glob("kernels-*.txt")):
        for line in read_text(path).splitlines():
            match = re.match(r"(\S.*?) {1,}(equal$|WRONG: .*|$)", line)
            if match and not line.startswith(("gpu_", "ok ", "FAIL")):
                said = match.group(2)
                kernels.append({"kernel": match.group(1), "equal": said == "equal",
                                "said": said if said else "never ended"})
    return kernels


def read_sanitizers(raw):
    found = {}
    for tool in ("memcheck", "racecheck", "initcheck", "synccheck"):
        said = "".join(read_text(raw / f"{tool}{part}.txt") for part in ("-kernels", "", "-pipeline"))
        summaries = re.findall(r"=+ (\w+ SUMMARY: .*)", said)
        if summaries:
            found[tool] = summaries
    return found


def read_all(folder):
    raw = folder / "raw"
    return {
        "gpu_check_version": VERSION, "environment": read_environment(raw), "stages": read_stages(raw),
        "backends": read_json(raw / "backends.json"), "kernels": read_kernels(raw), "parity": read_parity(raw), "pipeline": read_pipeline(raw),
        "sanitizers": read_sanitizers(raw), "filters": read_json(raw / "filters.json"),
        "bench": {path.stem[len("bench-"):]: read_json(path) for path in sorted(raw.glob("bench-*.json"))},
        "peers": {name: read_json(raw / f"{name}.json") for name in ("cusparse", "torch")
                  if read_json(raw / f"{name}.json")},
    }


# ---- Tables ----

def table(head, rows):
    """Markdown; the first column to the left, the others to the right. Nothing where there are no rows."""
    if not rows:
        return ""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)] + rows
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def short(value, unit=""):
    """Three digits, with k, M, G or T."""
    if value is None:
        return ""
    for factor, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= factor:
            return f"{value / factor:.3g} {letter}{unit}"
    return f"{value:.3g} {unit}".strip()


def seconds(value):
    if value is None:
        return ""
    return f"{value:.2f} s" if value >= 10 else f"{value:.3f} s" if value >= 0.1 else f"{1e3 * value:.2f} ms"


def work_name(result):
    return f"join {result['threshold']:g}" if result["work"] == "join" else f"top {result['k']}"


def machine_lines(found):
    it, lines = found["environment"], []
    for gpu in it["gpus"]:
        lines.append(f"- {gpu.get('name', '?')}, {gpu.get('memory', '?')}, compute capability {gpu.get('capability', '?')}, "
                     f"driver {gpu.get('driver', '?')}, at most {gpu.get('clock', '?')} and {gpu.get('power_limit', '?')}")
    if it.get("processor") or it.get("cores"):
        lines.append(f"- {it.get('processor', '?')}, {it.get('cores', '?')} cores, "
                     f"{int(it.get('memory_kb', 0)) / 2**20:.0f} GiB, {it.get('system', '?')}")
    tools = [it.get("compiler"), it.get("cmake"), it.get("nvcc") and f"CUDA {it['nvcc']}"]
    if any(tools):
        lines.append(f"- {', '.join(tool for tool in tools if tool)}")
    changed = it.get("changed", "0")
    lines.append(f"- commit {it.get('commit', 'unknown')}" + (f" with {changed} changed files" if changed != "0" else "") +
                 f", {it.get('date', 'date unknown')}")
    return "\n".join(lines) + "\n"


def stage_table(found):
    return table(["stage", "outcome", "s", "what it said"],
                 [[name, it["outcome"], it["seconds"], it["said"]] for name, it in found["stages"].items()])


def peak_of(filters):
    rates = [peak["tops"] for peak in filters["peaks"] if "tops" in peak]
    return max(rates) if rates else None


def filter_table(filters):
    runs = {}
    for run in filters["filters"]:
        runs.setdefault((run["filter"], run["dimension"]), {})[run["shape"], run["cosine"] > 0] = run
    rows = []
    for (name, dimension), by_kind in runs.items():
        cells = []
        for kind in (("rectangle", False), ("rectangle", True), ("triangle", False), ("triangle", True)):
            run = by_kind.get(kind)
            share = f" ({100 * run['share_of_peak']:.0f}%)" if run and "share_of_peak" in run else ""
            cells.append(f"{run['tops']:.0f}{share}" if run else "")
        rows.append([name, dimension] + cells)
    return table(["filter", "d", "rectangle, none pass", "rectangle, 0.5", "triangle, none pass", "triangle, 0.5"], rows)


def disagreements(filters):
    """Filters that let other numbers of pairs pass, on the same rows: gemm8 may let more, the others are equal."""
    wrong, found = [], {}
    for run in filters["filters"]:
        found.setdefault((run["dimension"], run["shape"], run["cosine"], run["rows"]), {})[run["filter"]] = run["found"]
    for key, by_filter in found.items():
        exact = {name: n for name, n in by_filter.items() if name != "gemm8"}
        if len(set(exact.values())) > 1 or exact and by_filter.get("gemm8", max(exact.values())) < max(exact.values()):
            wrong.append({"dimension": key[0], "shape": key[1], "cosine": key[2], "rows": key[3], "found": by_filter})
    return wrong


def bench_rows(found):
    for name, answer in found["bench"].items():
        for result in (answer or {}).get("results", []):
            yield name, result


def bench_table(found):
    rows = []
    for name, it in bench_rows(found):
        how = [it.get("gpu_filter") if it["backend"] != "cpu" else it["method"], it.get("dimension")]
        checked = {True: "equal", False: "DIFFERENT"}.get(it.get("equals_brute_force"), "")
        rows.append([name, work_name(it), short(it["rows"]), it["backend"], " ".join(str(h) for h in how if h),
                     seconds(it["seconds"]["total"]), seconds(it["seconds"].get("prepare")),
                     seconds(it["seconds"].get("compare")), short(it["found"]), short(it["candidates"]),
                     short(it.get("moved_bytes"), "B"), short(it.get("device_bytes"), "B"), it.get("splits", ""), checked])
    return table(["run", "work", "rows", "on", "how", "time", "of that: prepare", "compare", "found", "candidates", "moved", "device memory", "splits",
                  "checked"], rows)


def peer_table(found):
    rows = []
    it = found["peers"].get("cusparse")
    if it:
        note = "extrapolated from " + short(it["rows_measured"]) + " rows, " if it["extrapolated"] else ""
        rows.append(["cuSPARSE SpGEMM, whole product", short(it["rows"]), seconds(it["seconds"]),
                     note + ("agrees" if it["agrees"] else "DIFFERS")])
        rows.append(["cuSPARSE SpGEMM, half of it", short(it["rows"]), seconds(it["half_seconds"]), "as a join needs"])
    it = found["peers"].get("torch") or {}
    for way in it.get("ways", []):
        rows.append([f"PyTorch half, {way['way']} to {way['dimension']}, top {it['k']}", short(it["rows"]),
                     seconds(way["seconds"]), f"recall {way['recall']:.4f}"])
    return table(["peer", "rows", "time", ""], rows)


# ---- What was aimed at ----

def total_of(found, name, work):
    for at, result in bench_rows(found):
        if at == name and work_name(result) == work:
            return result["seconds"]["total"]
    return None


def targets(found):
    """[what, wanted, measured, met]; measured and met are None where there is no measurement."""
    rows = []
    shares = [run["share_of_peak"] for run in (found["filters"] or {"filters": []})["filters"]
              if run["filter"] == "fused" and run["dimension"] == 512 and "share_of_peak" in run and run["cosine"] > 0]
    share = max(shares) if shares else None
    rows.append(["fused filter at d = 512, share of the large int8 product", ">= 70%",
                 share and f"{100 * share:.1f}%", share and share >= 0.7])
    for what, name, work, most in (("1M rows joined at 0.5", "cuda-1M", "join 0.5", 1.5),
                                   ("1M rows, top 10", "cuda-1M", "top 10", 5.0),
                                   ("3M rows joined at 0.5", "cuda-3M", "join 0.5", 15.0)):
        total = total_of(found, name, work)
        rows.append([what, f"<= {most:g} s", total and seconds(total), total and total <= most])
    own, peer = total_of(found, "cuda-134k", "join 0.5"), found["peers"].get("cusparse")
    times = peer["half_seconds"] / own if own and peer else None
    rows.append(["134k rows joined at 0.5, times faster than half of cuSPARSE's product", ">= 50",
                 times and f"{times:.0f}", times and times >= 50])
    return rows


def target_table(found):
    words = {None: "not measured", True: "yes", False: "no"}
    return table(["aim", "wanted", "measured", "met"],
                 [[what, wanted, measured or "", words[met if met is None else bool(met)]]
                  for what, wanted, measured, met in targets(found)])


def markdown(found):
    gpus = found["environment"]["gpus"]
    parts = [f"# paperkin on {gpus[0]['name'] if gpus else 'a machine without a GPU'}\n", machine_lines(found),
             stage_table(found), "## Aims\n", target_table(found)]
    parity, kernels = found["parity"], found["kernels"]
    if parity or kernels:
        parts.append("## The same bits\n")
    if kernels:
        parts += [f"Kernels alone: {len(kernels)}, {sum(not it['equal'] for it in kernels)} wrong.\n",
                  table(["wrong", "how"], [[it["kernel"], it["said"]] for it in kernels if not it["equal"]])]
    if parity:
        parts += [f"{parity['runs']} runs in {len(parity['cases'])} cases, "
                  f"{parity['different']} differ" + ("" if parity["finished"] else "; not finished") + ".\n"]
        parts += [f"- {line}" for line in parity["left_out"]]
        parts += [table(["differs in", "filter"], [[it["case"], it["filter"]] for it in parity["cases"] if not it["equal"]])]
    pipeline = found["pipeline"]
    if pipeline:
        parts.append(f"With little room on the device: {pipeline['ways']} ways, {pipeline['wrong']} answers wrong.\n")
        parts += [f"- {line}" for line in pipeline["failed"]]
    if found["sanitizers"]:
        parts += ["## Sanitizers\n", "\n".join(f"- {tool}: {'; '.join(lines)}"
                                               for tool, lines in found["sanitizers"].items()) + "\n"]
    filters = found["filters"]
    if filters:
        peak = peak_of(filters)
        parts += ["## Filters\n", "TOPS, 2 d operations a pair; in brackets the share of the large product of bytes by "
                  f"cuBLASLt ({peak:.0f} TOPS).\n" if peak else "TOPS, 2 d operations a pair.\n", filter_table(filters)]
        scoring = filters.get("scoring")
        if scoring:
            parts.append(f"Exact scoring: {short(scoring['candidates_per_second'])} candidates a second, "
                         f"{scoring['mean_terms']:.0f} terms a row.\n")
        wrong = disagreements(filters)
        if wrong:
            parts.append(f"**Filters disagree about what passes**: {json.dumps(wrong)}\n")
    if any(True for _ in bench_rows(found)):
        parts += ["## Joins and top-k\n", "From rows in host memory to sorted results in host memory; the median of a "
                  "few runs.\n", bench_table(found)]
    if found["peers"]:
        parts += ["## Peers\n", peer_table(found)]
    return "\n".join(part for part in parts if part)


def main():
    if len(sys.argv) != 2 or not Path(sys.argv[1], "raw").is_dir():
        print(__doc__.split("\n")[2], "with DIR/raw as scripts/gpu-check leaves it", file=sys.stderr)
        return 2
    folder = Path(sys.argv[1])
    found = read_all(folder)
    found["aims"] = [dict(zip(("what", "wanted", "measured", "met"), row)) for row in targets(found)]
    if found["filters"]:
        found["filter_disagreements"] = disagreements(found["filters"])
    (folder / "gpu-check.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (folder / "gpu-check.md").write_text(markdown(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

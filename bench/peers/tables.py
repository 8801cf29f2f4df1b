# SPDX-License-Identifier: Apache-2.0
"""What side_by_side.py prints: tables as (heading, rows), with the targets that they are held against."""
import statistics

# Times as long as paperkin as planned; where the machine has tiles (AMX), and where it has none.
TARGETS = {True: {"join:0.5": 120, "join:0.3": 45, "top:10": 18}, False: {"join:0.5": 30, "join:0.3": 18, "top:10": 10}}
PEAK_SHARE, PEAK_DIMENSION = 0.65, 512
PROGRAM_SECONDS, PROGRAM_PAPERS = 1.2, 134_072

APPROXIMATE = {"faiss"}


def cell_seconds(seconds):
    if seconds is None:
        return ""
    return f"{seconds:.3f} s" if seconds < 0.995 else f"{seconds:.2f} s" if seconds < 9.95 else f"{seconds:,.0f} s"


def cell_ratio(ratio):
    if ratio is None:
        return ""
    return f"{ratio:.2f}x" if ratio < 9.95 else f"{ratio:,.0f}x"


def cell_share(share):
    return "" if share is None else f"{100 * share:.1f}%" if share >= 0.0995 else f"{100 * share:.2f}%"


def task_title(task):
    kind, value = task.split(":")
    return f"cosine >= {value}" if kind == "join" else f"top-{value}"


def print_table(heading, rows):
    """The first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in [heading, *rows]) for column in range(len(heading))]
    print()
    for number, row in enumerate([heading, *rows]):
        cells = [text.rjust(width) if column else text.ljust(width) for column, (text, width) in enumerate(zip(row, widths))]
        print("| " + " | ".join(cells) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 1) + (":" if column else "-") for column, width in enumerate(widths)) + "|")


def peer_title(told, line):
    """`line`: the first of a variant's results."""
    if line.get("dimension"):
        return f"{told['peer']} {told['version']}, search in {line['dimension']} dimensions alone: approximate"
    threads = f"{told['threads']} thread" + "s" * (told["threads"] > 1)
    return f"{told['peer']} {told['version']}, {told['precision']}, {line.get('variant') or threads}"


def variants_of(told):
    """A peer's results by variant: name -> lines."""
    found = {}
    for line in told.get("tasks", ()):
        found.setdefault(line.get("variant"), []).append(line)
    return found


def side_by_side_table(compared):
    heading = ["side by side"]
    for task in compared.tasks:
        heading += [task_title(task), "ratio"]
    rows = []
    base = {task: compared.seconds("plan", task) for task in compared.tasks}

    def row(title, figures):
        cells = [title]
        for task in compared.tasks:
            seconds, mark = figures.get(task, (None, ""))
            cells += [mark + cell_seconds(seconds) if seconds else "",
                      cell_ratio(seconds / base[task]) if seconds and base[task] else ""]
        rows.append(cells)

    for variant in compared.variants:
        row(variant.title, {task: (compared.seconds(variant.key, task), "") for task in compared.tasks})
    for told in compared.peers.values():
        for lines in variants_of(told).values():
            row(peer_title(told, lines[0]), {line["task"]: (line["seconds"], "~" if line["share"] < 1 else "") for line in lines})
    return heading, rows


def method_text(line):
    told = f"d = {line['dimension']}" if line["dimension"] else f"head {line['head_share']:g}" if line["head_share"] else ""
    return f"{line['method']}, {line['instruction_set']}" + (f", {told}" if told else "")


def plan_table(compared):
    """What was planned for paperkin's own choice, and what came: the last round's plan, the median outcome."""
    rows = []
    for task in compared.tasks:
        lines = compared.runs.get("plan", {}).get(task)
        if lines:
            low, _, high = lines[-1]["estimated_seconds"]
            outcome = statistics.median(line["prepare_seconds"] + line["compare_seconds"] for line in lines)
            rows.append([task_title(task), method_text(lines[-1]), f"{cell_seconds(low)} to {cell_seconds(high)}",
                         cell_seconds(outcome), "yes" if low <= outcome <= high else "NO"])
    return ["as planned", "method", "estimated", "preparing and comparing", "within"], rows


def recall_table(compared):
    """What the approximate peers find of the exact result, and how much else."""
    heading = ["approximate", "reduction"]
    for task in compared.tasks:
        heading += [f"{task_title(task)}: recall", "precision"]
    rows = []
    for name in sorted(APPROXIMATE & set(compared.peers)):
        told = compared.peers[name]
        for lines in variants_of(told).values():
            chosen = {line["task"]: line for line in lines}
            cells = [f"{told['peer']} IndexFlatIP, {lines[0]['dimension']} dimensions", cell_seconds(lines[0]["reduce_seconds"])]
            for task in compared.tasks:
                line = chosen.get(task, {})
                cells += [cell_share(line.get("recall")), cell_share(line.get("precision"))]
            rows.append(cells)
    return heading, rows


def filter_rate(line):
    """Operations a second of the filter on all its threads together."""
    seconds = line["filter_thread_seconds"] / max(1, line["n_threads"])
    return line["filter_operations"] / seconds if seconds else 0.0


def rates_of(compared):
    return {dimension: statistics.median(map(filter_rate, lines)) for dimension, lines in compared.rates.items()}


def cell_rate(operations):
    return f"{operations / 1e12:.2f}" if operations else ""


def rates_table(compared, title_of):
    rates, peak = rates_of(compared), max(compared.peaks, default=0)
    if not rates:
        return [], []
    heading = ["8-bit operations, 10^12 a second"] + [f"d = {dimension}" for dimension in rates]
    rows = [[f"paperkin's filter, {title_of(compared.levels[0])}", *map(cell_rate, rates.values())]]
    if peak:
        rows.append(["its share of the peak", *(cell_share(rate / peak) for rate in rates.values())])
    if len(compared.onednn) > 1:
        rows.append([f"oneDNN {compared.onednn['version']} matmul, u8 x s8 -> s32",
                     *(cell_rate(compared.onednn.get(dimension, {}).get("operations_per_second")) for dimension in rates)])
    if peak:
        rows.append(["measured peak of the processor, registers alone", *[cell_rate(peak)] * len(rates)])
    return heading, rows


def targets_table(compared):
    rows = []

    def row(measure, value, figure, target, met):
        rows.append([measure, figure if value is not None else "", target, "" if value is None else "yes" if met else "NO"])

    for task, target in TARGETS["amx" in compared.levels].items():
        ours, theirs = compared.seconds("plan", task), compared.peer_seconds("sparse_dot_topn", task)
        if task in compared.tasks and theirs:
            ratio = theirs / ours if ours else None
            row(f"{task_title(task)}: times as fast as sparse_dot_topn", ratio, cell_ratio(ratio), f"at least {target}x",
                ratio and ratio >= target)
    rate, peak = rates_of(compared).get(PEAK_DIMENSION), max(compared.peaks, default=0)
    if rate and peak:
        row(f"filter at d = {PEAK_DIMENSION}: share of the measured peak", rate, cell_share(rate / peak),
            f"at least {100 * PEAK_SHARE:.0f}%", rate >= PEAK_SHARE * peak)
    program = compared.program.get("mixed") or compared.program.get("invented")
    if program and program["papers"] == PROGRAM_PAPERS:
        seconds = statistics.median(program["seconds"])
        row(f"JSON lines to exact pairs, {PROGRAM_PAPERS:,} papers", seconds, cell_seconds(seconds),
            f"under {PROGRAM_SECONDS} s", seconds < PROGRAM_SECONDS)
    return ["measure", "figure", "target", "met"], rows

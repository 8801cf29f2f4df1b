# SPDX-License-Identifier: Apache-2.0
"""How the figures are told: one table, each of paperkin's figures beside those of its baselines."""
import re
from dataclasses import asdict, dataclass, field

BEGIN = "<!-- made by scripts/bench-quality: do not edit by hand -->"
END = "<!-- end of what scripts/bench-quality made -->"
HEADING = ("measure", "paperkin", "baselines, in the same run", "aim", "met")


@dataclass
class Measure:
    """`ours`: one figure or several that belong together; `baselines`: name -> as many."""
    section: str
    what: str
    ours: tuple
    baselines: dict = field(default_factory=dict)
    unit: str = ""  # "", "s" or "x"
    aim: str = ""
    met: bool = None
    note: str = ""

    def __post_init__(self):
        """Figures may come as NumPy's numbers, which JSON does not know."""
        self.ours = plain(self.ours)
        self.baselines = {name: plain(values) for name, values in self.baselines.items()}
        self.met = None if self.met is None else bool(self.met)


def plain(values):
    return tuple(None if value is None else float(value) for value in values)


def cell_figure(value, unit=""):
    """.874, 0.42 s, 1.35x; an empty string where there is none."""
    if value is None:
        return ""
    if unit == "s":
        return f"{value:.2f} s" if value < 9.95 else f"{value:.1f} s"
    if unit == "x":
        return f"{value:.2f}x"
    return re.sub(r"^(-?)0\.", r"\1.", f"{value:.3f}")


def cell_figures(values, unit=""):
    return " / ".join(cell_figure(value, unit) for value in values)


def table_rows(measures):
    """The cells of the table; a section's name stands alone in its row."""
    section = None
    for measure in measures:
        if measure.section != section:
            section = measure.section
            yield (f"**{section}**", "", "", "", "")
        baselines = "; ".join(f"{name} {cell_figures(values, measure.unit)}" for name, values in measure.baselines.items())
        yield (measure.what, cell_figures(measure.ours, measure.unit), baselines, measure.aim,
               "" if measure.met is None else "yes" if measure.met else "NO")


def table_text(measures, aligned=True):
    rows = [HEADING, *table_rows(measures)]
    widths = [max(len(row[column]) for row in rows) if aligned else 0 for column in range(len(HEADING))]
    lines = ["| " + " | ".join(text.ljust(width) for text, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * max(3, width + 2) for width in widths) + "|")
    return "\n".join(lines)


def labels_text(labels):
    """`labels`: (papers, label) of each thread that was drawn."""
    return "\n".join(f"- {label or '(none)'} ({size} papers)" for size, label in labels)


def notes_text(measures):
    return "\n".join(f"- {measure.what}: {measure.note}" for measure in measures if measure.note)


def made_section(measures, labels, told):
    """What stands between the markers of docs/quality.md."""
    parts = [told, table_text(measures, aligned=False)] + [text for text in (notes_text(measures),) if text]
    if labels:
        parts += ["**Labels, not chosen.** Every so-many-th thread of a month in order of size:", labels_text(labels)]
    return "\n\n".join([BEGIN, *parts, END])


def replace_section(text, section):
    """`text` with what stood between the markers replaced."""
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0 or end < begin:
        raise ValueError(f"expected the lines {BEGIN!r} and {END!r}, in this order")
    return text[:begin] + section + text[end + len(END):]


def as_json(measures):
    return [asdict(measure) for measure in measures]

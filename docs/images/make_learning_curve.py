"""Draw learning_curve.svg from the table of docs/models.md, so that picture and page say the same.

Measure anew with `python -m bench learning learning-transformer --data DIR`, put the figures into the table, then run
this file.
"""  # noqa: INP001 - a script that stands alone

from __future__ import annotations

import io
import re
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent / "models.md"
HEADING = "### The learning curve"
_CELL = re.compile(r"([\d.]+) \(([\d.]+) to ([\d.]+)\)")
_COLOURS = {"labels alone": "tab:grey", "with a teacher": "tab:blue", "transformer": "tab:orange"}

Point = tuple[float, float, float, float]


def curves(page: str) -> dict[str, dict[str, list[Point]]]:
    """Return, by task and by what learns, the points (share in %, value, low, high) of the page's table."""
    lines = [line for line in page.split(HEADING, 1)[1].split("\n#", 1)[0].splitlines() if line.startswith("|")]
    shares = [float(share) for share in re.findall(r"([\d.]+) %", lines[0])]
    found: dict[str, dict[str, list[Point]]] = {}
    for line in lines[2:]:
        task, learner, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        points = [
            (share, *map(float, cell.groups()))
            for share, text in zip(shares, cells, strict=True)
            if (cell := _CELL.search(text))
        ]
        found.setdefault(task, {})[learner] = points
    return found


def draw(found: dict[str, dict[str, list[Point]]]) -> str:
    """Return the curves as SVG, a panel a task, with their intervals."""
    # Text stays text, and names within the file are the same each time.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "learning"}):
        figure = Figure(figsize=(9.0, 2.9), layout="constrained")
        FigureCanvasSVG(figure)
        for axes, (task, learners) in zip(figure.subplots(1, len(found)), found.items(), strict=True):
            for place, (learner, points) in enumerate(learners.items()):
                shares, values, lows, highs = zip(*points, strict=True)
                off = [
                    [value - low for value, low in zip(values, lows, strict=True)],
                    [high - value for value, high in zip(values, highs, strict=True)],
                ]
                beside = [share * (1 + 0.04 * (place - 1)) for share in shares]
                axes.errorbar(beside, values, off, label=learner, color=_COLOURS[learner], marker="o", ms=3, capsize=2)
            axes.set_xscale("log", base=2)
            axes.set_xticks(shares, [f"{share:g}" for share in shares])
            axes.minorticks_off()
            axes.set_title(task, fontsize=10)
            axes.set_xlabel("% of the labelled rows", fontsize=8)
            axes.tick_params(labelsize=8)
            axes.grid(alpha=0.3)
        figure.axes[0].set_ylabel("metric, %", fontsize=8)
        figure.axes[0].legend(fontsize=7, loc="lower right")
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()


if __name__ == "__main__":
    (FOLDER / "learning_curve.svg").write_text(draw(curves(PAGE.read_text(encoding="utf-8"))), encoding="utf-8")

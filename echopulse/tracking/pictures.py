"""Pictures of a run, as PNG: what was confused, how chances hold, how training and a search went on."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

_SIZE = (5.0, 4.2)
_DPI = 110
_BINS = 10
_CURVE_POINTS = 200


def confusion_picture(counts: NDArray[np.int64], labels: Sequence[str], title: str) -> bytes:
    """Draw a confusion matrix [gold, said]: counts, shaded by their share of the gold label."""
    figure, axes = _figure(title)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    for (gold, said), count in np.ndenumerate(counts):
        colour = "white" if shares[gold, said] > 0.5 else "black"  # noqa: PLR2004 - half of the scale
        axes.text(said, gold, f"{count:,}\n{100 * shares[gold, said]:.0f} %", ha="center", va="center", color=colour)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("said")
    axes.set_ylabel("labelled")
    return _png(figure)


def curves_picture(chances: NDArray[np.float64], gold: NDArray[np.int64], labels: Sequence[str], title: str) -> bytes:
    """Draw precision over recall of each label against all others (of two labels: of the second)."""
    figure, axes = _figure(title)
    for label in range(1 if len(labels) == 2 else 0, len(labels)):  # noqa: PLR2004 - two labels have one curve
        recall, precision = precision_recall(chances[:, label], gold == label)
        axes.plot(recall, precision, label=labels[label])
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.legend(loc="lower left")
    return _png(figure)


def precision_recall(
    chances: NDArray[np.float64], positive: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (recall, precision) at falling thresholds, some two hundred of them; rows of equal chance go together."""
    order = np.argsort(-chances, kind="stable")
    hits = np.cumsum(positive[order])
    ends = np.flatnonzero(np.append(np.diff(chances[order]) != 0, True))
    if len(ends) > _CURVE_POINTS:
        ends = ends[np.linspace(0, len(ends) - 1, _CURVE_POINTS).astype(np.int64)]
    return hits[ends] / max(int(hits[-1]), 1), hits[ends] / (ends + 1)


def calibration_picture(chances: NDArray[np.float64], gold: NDArray[np.int64], title: str) -> bytes:
    """Draw how often the label thought likeliest is right, over how likely it was thought, in ten equal bins."""
    figure, axes = _figure(title)
    sure, right = chances.max(axis=1), chances.argmax(axis=1) == gold
    which = np.minimum((sure * _BINS).astype(np.int64), _BINS - 1)
    counts = np.bincount(which, minlength=_BINS)
    held = counts > 0
    thought = np.bincount(which, sure, minlength=_BINS)[held] / counts[held]
    found = np.bincount(which, right, minlength=_BINS)[held] / counts[held]
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    axes.plot(thought, found, marker="o")
    axes.set_xlabel("thought likely")
    axes.set_ylabel("right")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    return _png(figure)


def epochs_picture(curves: Mapping[str, Mapping[int, float]], title: str) -> bytes:
    """Draw each task's metric on the validation rows, epoch by epoch."""
    figure, axes = _figure(title)
    for name, points in curves.items():
        axes.plot(list(points), list(points.values()), marker="o", label=name)
    axes.set_xlabel("epoch")
    axes.set_ylabel("metric on the validation rows, %")
    axes.legend()
    return _png(figure)


def search_picture(values: Mapping[int, float], pruned: Mapping[int, float], title: str) -> bytes:
    """Draw a search: what each trial came to, those given up early, and the best so far."""
    figure, axes = _figure(title)
    axes.scatter(list(pruned), list(pruned.values()), marker="x", color="grey", label="given up early")
    axes.scatter(list(values), list(values.values()), label="trial")
    if values:
        axes.step(list(values), np.maximum.accumulate(list(values.values())), where="post", label="best so far")
    axes.set_xlabel("trial")
    axes.set_ylabel("mean metric on the validation rows, %")
    axes.legend(loc="lower right")
    return _png(figure)


def _figure(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE, dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_title(title, fontsize=10)
    return figure, axes


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    # Without the library's version in it, the same run draws the same bytes.
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()

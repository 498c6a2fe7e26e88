"""Pictures of a run."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.image import imread
from sklearn.metrics import precision_recall_curve

from echopulse.tracking import pictures

if TYPE_CHECKING:
    from collections.abc import Callable

GENERATOR = np.random.default_rng(4)
GOLD = GENERATOR.integers(0, 3, 400)
CHANCES = GENERATOR.dirichlet((1, 1, 1), 400).round(2)


def test_all_are_pictures_and_the_same_run_draws_the_same() -> None:
    """Each is a PNG that is not blank, byte for byte the same when drawn again."""
    counts = np.array([[5, 1, 0], [0, 7, 2], [3, 0, 9]])
    labels = ("negative", "neutral", "positive")
    drawings: tuple[Callable[[], bytes], ...] = (
        lambda: pictures.confusion_picture(counts, labels, "sentiment"),
        lambda: pictures.curves_picture(CHANCES, GOLD, labels, "sentiment"),
        lambda: pictures.calibration_picture(CHANCES, GOLD, "sentiment"),
        lambda: pictures.epochs_picture({"sentiment": {1: 50.0, 2: 60.0}}, "training"),
        lambda: pictures.search_picture({0: 50.0, 2: 48.0}, {1: 30.0}, "search"),
    )
    for draw in drawings:
        drawn = draw()
        assert imread(io.BytesIO(drawn), format="png").std() > 0.01
        assert draw() == drawn


def test_precision_and_recall_are_those_of_scikit_learn() -> None:
    """Each of our points is on its curve."""
    recall, precision = pictures.precision_recall(CHANCES[:, 1], GOLD == 1)
    theirs_precision, theirs_recall, _ = precision_recall_curve(GOLD == 1, CHANCES[:, 1])
    theirs = {(round(r, 9), round(p, 9)) for r, p in zip(theirs_recall, theirs_precision, strict=True)}
    assert {(round(float(r), 9), round(float(p), 9)) for r, p in zip(recall, precision, strict=True)} <= theirs
    assert recall[-1] == 1

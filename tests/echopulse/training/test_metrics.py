"""Metrics against the definitions written out, and intervals against resampled rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echopulse.training.metrics import (
    METRICS,
    calibration_error,
    confusion,
    interval,
    macro_f1,
    macro_recall,
    paired_difference,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=30)


@given(_PAIRS)
def test_against_definitions(pairs: list[tuple[int, int]]) -> None:
    """Macro recall and macro F1 are the means, over the labels that occur, of what the definitions say."""
    gold, said = (np.array(column) for column in zip(*pairs, strict=True))
    recalls, scores = [], []
    for label in range(3):
        hits = sum(pair == (label, label) for pair in pairs)
        if label in gold:
            recalls.append(hits / int((gold == label).sum()))
        if label in gold or label in said:
            scores.append(2 * hits / int((gold == label).sum() + (said == label).sum()))
    counts = confusion(gold, said, 3)
    assert macro_recall(counts) == pytest.approx(100 * np.mean(recalls))
    assert macro_f1(counts) == pytest.approx(100 * np.mean(scores))


def test_interval_against_resampled_rows() -> None:
    """Drawing confusion cells gives the interval that drawing rows gives."""
    generator = np.random.default_rng(3)
    gold = generator.integers(0, 2, 400)
    said = np.where(generator.random(400) < 0.7, gold, 1 - gold)
    low, high = interval("macro_f1", confusion(gold, said, 2))
    drawn = [generator.integers(0, 400, 400) for _ in range(1_000)]
    values = [float(macro_f1(confusion(gold[rows], said[rows], 2))) for rows in drawn]
    assert (low, high) == pytest.approx(np.percentile(values, (2.5, 97.5)), abs=0.6)


def test_calibration_error() -> None:
    """Probabilities that hold have no error; certainty that is half wrong has an error of one half."""
    assert calibration_error(np.array([0.5, 0.5]), np.array([0, 1])) == 0
    assert calibration_error(np.array([1.0, 1.0]), np.array([0, 1])) == pytest.approx(0.5)


@pytest.mark.parametrize("metric", list(METRICS))
def test_paired_difference_against_resampled_rows(metric: str) -> None:
    """Drawing cells of both answers gives the interval that drawing rows with both answers gives."""
    generator = np.random.default_rng(7)
    gold = generator.integers(0, 3, 400)
    own, theirs = (np.where(generator.random(400) < right, gold, generator.integers(0, 3, 400)) for right in (0.7, 0.6))
    cells = np.bincount((gold * 3 + own) * 3 + theirs, minlength=27).reshape(3, 3, 3)

    def difference(rows: NDArray[np.int64]) -> float:
        each = [float(METRICS[metric](confusion(gold[rows], said[rows], 3))) for said in (own, theirs)]
        return each[0] - each[1]

    found, low, high = paired_difference(metric, cells)
    assert found == pytest.approx(difference(np.arange(400)))
    naive = np.percentile([difference(generator.integers(0, 400, 400)) for _ in range(1_000)], (2.5, 97.5))
    assert (low, high) == pytest.approx(naive, abs=1.0)

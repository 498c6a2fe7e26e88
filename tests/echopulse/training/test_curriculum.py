"""The order of lessons and their batches."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from echopulse.training.curriculum import Curriculum, batches, curriculum
from echopulse.training.datasets import Labelled
from echopulse.training.heads import Lessons, lay_out, lessons


def _lessons(rows: int) -> Lessons:
    return Lessons(
        pa.array([str(row) for row in range(rows)]), np.zeros((rows, 1), np.float32), np.ones((rows, 1), np.float32)
    )


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from((0.5, 1.0, 2.0))), min_size=1, max_size=4),
    st.sampled_from((0.5, 1.0, 3.0)),
    st.integers(0, 5),
    st.data(),
)
def test_how_often_rows_come(parts: list[tuple[int, float]], epochs: float, seed: int, data: st.DataObject) -> None:
    """Of each part as many rows as its times say, none much more often than another, and none that is left out."""
    spans, start = [], 0
    for size, times in parts:
        spans.append((start, start + size, times))
        start += size
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=start, max_size=start)), np.bool_)
    order = Curriculum(_lessons(start), tuple(spans), start).order(epochs, np.random.default_rng(seed), kept)
    came = np.bincount(order, minlength=start)
    for low, high, times in spans:
        own = came[low:high][kept[low:high]]
        assert own.sum() == round(len(own) * times * epochs)
        assert not len(own) or own.max() - own.min() <= 1
    assert came[~kept].sum() == 0


@given(st.lists(st.integers(1, 64), max_size=400), st.sampled_from((1, 3, 16)))
def test_batches(lengths: list[int], size: int) -> None:
    """Every batch is full, no row comes twice, and at most a batch's rows are left of each pool of fifty."""
    order = np.random.default_rng(1).permutation(len(lengths))
    cut = list(batches(order, np.array(lengths, np.int64), size, np.random.default_rng(2)))
    rows = np.concatenate([np.zeros(0, np.int64), *cut])
    assert {len(batch) for batch in cut} <= {size}
    assert len(np.unique(rows)) == len(rows)
    assert len(order) - len(rows) < size


def test_parts() -> None:
    """The tasks' rows first, then what nobody labelled, then what is made up; `told` is where that begins."""
    labelled = Labelled(pa.array([f"text {row} of the sun" for row in range(100)]), np.arange(100) % 3, None)
    examples = {"sentiment": labelled}
    heads = lay_out({"sentiment": labelled})
    learnt = lessons(heads, examples, 1.0).followed_by(
        Lessons(pa.array(["nobody"]), np.zeros((1, 3), np.float32), np.ones((1, 1), np.float32))
    )
    made = curriculum(heads, learnt, examples, {"sentiment": 2.0}, 100, 0)
    assert made.told == 101
    assert made.parts[:2] == ((0, 100, 2.0), (100, 101, 1.0))
    assert made.parts[2][0] == 101
    assert made.parts[2][1] == len(made.lessons.texts) >= 111

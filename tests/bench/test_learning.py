"""Shares of labelled rows, and what is told of a bag that learnt from them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from bench import learning
from bench.learning import drawn, figure, opened
from echopulse.training.datasets import Labelled
from schemas.errors import EchoPulseError
from transforms.artifact import find_artifact


def rows(count: int, first: int = 0) -> Labelled:
    """Texts that are numbers, from `first` on."""
    return Labelled(pa.array([f"text {number}" for number in range(first, first + count)]), np.zeros(count, np.int64))


EXAMPLES = {"offensive": rows(2_000), "toxicity": rows(4_000, 1_000)}


@pytest.mark.parametrize("share", learning.SHARES)
def test_a_share_is_of_every_task(share: float) -> None:
    """About so many of each; of all, all."""
    for name, part in drawn(EXAMPLES, share, 1).items():
        whole = len(EXAMPLES[name].labels)
        assert len(part.texts) == len(part.labels)
        assert len(part.labels) == pytest.approx(share * whole, abs=0 if share == 1 else 0.04 * whole)


def test_a_text_is_drawn_in_all_its_tasks_or_in_none() -> None:
    """Or a task would tell what another must not know yet."""
    found = drawn(EXAMPLES, 0.25, 1)
    shared = set(EXAMPLES["offensive"].texts.to_pylist()) & set(EXAMPLES["toxicity"].texts.to_pylist())
    one, other = (set(found[name].texts.to_pylist()) & shared for name in EXAMPLES)
    assert one == other
    assert one


def test_a_larger_share_holds_the_smaller() -> None:
    """Of a seed; another seed draws others."""
    small, large, other = (drawn(EXAMPLES, *how)["toxicity"].texts for how in ((0.125, 1), (0.5, 1), (0.125, 2)))
    assert pc.all(pc.is_in(small, large)).as_py()
    assert not pc.all(pc.is_in(other, small)).as_py()


def test_a_figure_has_a_run_a_seed_and_an_interval() -> None:
    """The interval is of the rows of one seed, however many there are."""
    counts = [np.array([[60, 40], [30, 70]]), np.array([[70, 30], [30, 70]])]
    found = figure("hate", 0.125, "labels alone", counts)
    assert found.what == "hate, 12.5 % of the rows, labels alone"
    assert found.unit == "macro_f1"
    assert found.runs == pytest.approx((64.92, 70.0), abs=0.01)
    low, high = (float(word) for word in found.against.removeprefix("95 % interval ").split(" to "))
    assert low < 67.5 < high
    assert 11 < high - low < 15


def test_a_cascade_learns_nothing() -> None:
    """It is refused."""
    with pytest.raises(EchoPulseError) as caught:
        opened(find_artifact("cascade"))
    assert str(caught.value) == "'cascade' is a cascade (it learns nothing)"

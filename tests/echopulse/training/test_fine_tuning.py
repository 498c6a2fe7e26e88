"""A small network of the tests' own weights learns what it is given, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from echopulse.training.curriculum import curriculum
from echopulse.training.fine_tuning import Pace, Tuned
from echopulse.training.heads import lay_out, lessons, load_all

if TYPE_CHECKING:
    from pathlib import Path

_PACE = Pace(epochs=10.0, rate=3e-3, head_rate=3e-3, batch=16)


def test_learns_the_rows_that_are_kept(base: Path, data: Path) -> None:
    """Both labels are told apart; of a network that was kept from one label's rows, none is given it."""
    examples = load_all(data, ["hate"], "train")
    heads = lay_out(examples)
    whole = curriculum(heads, lessons(heads, examples, 0.0), examples, {}, 0, 0)
    labels = examples["hate"].labels
    all_rows = np.ones(len(whole.lessons.texts), np.bool_)
    one_label = all_rows.copy()
    one_label[: len(labels)] = labels == 0
    said: list[str] = []
    margins = []
    for kept in (all_rows, one_label):
        tuned = Tuned(base, heads, 0, 0.0)
        tuned.learn(whole, kept, _PACE, 0, said.append)
        margins.append(tuned.ask(examples["hate"].texts)[:, 0])
    assert ((margins[0] > 0) == labels).all()
    assert (margins[1] < 0).all()
    assert said
    assert all(line.startswith("step ") for line in said)


def test_no_text_depends_on_those_beside_it(base: Path, data: Path) -> None:
    """The scores of a text asked about alone are those it has among others, but for rounding to 16 bits."""
    examples = load_all(data, ["hate"], "train")
    tuned = Tuned(base, lay_out(examples), 0, 0.0)
    texts = pa.array(["a", "you are a twit", "the sun is great today, friend, and the neighbour is happy !"])
    together = tuned.ask(texts)
    assert together.shape == (3, 1)
    for place in range(3):
        np.testing.assert_allclose(tuned.ask(texts.slice(place, 1))[0], together[place], atol=2e-2)

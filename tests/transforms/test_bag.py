"""The bag as a model."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from schemas.errors import EchoPulseError
from transforms.artifact import MANIFEST, SHIPPED
from transforms.bag import Bag, load_bag
from transforms.conformance import batch_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def bag() -> Bag:
    """The default model."""
    return load_bag(SHIPPED / "default")


def test_repeats_are_scored_alike(bag: Bag) -> None:
    """Texts scored once for all their repeats have the scores they have alone."""
    texts = pa.array(["a b", "c", "a b", "", "c"])
    scores = bag.score(texts)
    assert np.array_equal(scores, np.concatenate([bag.score(texts[row : row + 1]) for row in range(5)]))


def test_probabilities(bag: Bag) -> None:
    """Probabilities of every task add up to one, also for an endless insult."""
    scores = bag.score(pa.array(["you stupid idiot " * 200, "lovely", ""]))
    for task in bag.manifest.tasks:
        assert bag.probabilities(task, scores).sum(axis=1) == pytest.approx([1, 1, 1])
    assert bag.decide("toxicity", bag.probabilities("toxicity", scores)).tolist() == [1, 0, 0]


def test_one_pass_for_all_tasks(bag: Bag) -> None:
    """A batch is scored once; another batch is scored anew."""
    first, second = batch_of(["a"]), batch_of(["b"])
    scores = bag.score_batch(first)
    assert bag.score_batch(first) is scores
    assert not np.array_equal(bag.score_batch(second), scores)


def test_another_hashing_is_refused(tmp_path: Path) -> None:
    """An artifact made for other n-grams is refused rather than scored wrongly."""
    folder = shutil.copytree(SHIPPED / "default", tmp_path / "model")
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["hashing"]["char_grams"] = [2, 6]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(EchoPulseError, match="train it again"):
        load_bag(folder)

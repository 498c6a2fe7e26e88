"""What a teacher's word changes in the lessons."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from echopulse.training.datasets import Labelled
from echopulse.training.distillation import mixed, unseen
from echopulse.training.heads import lay_out, lessons

_SENTIMENT = Labelled(pa.array(["good", "bad"]), np.array([2, 0]), None)
_STANCE = Labelled(pa.array(["purr", "bark"]), np.array([2, 1]), pa.array(["cats", "dogs"]))


def test_unseen() -> None:
    """A text is the same with other spaces, letters or entities; what is left comes once."""
    known = pa.array(["cats &amp; dogs", "so it is"])
    held = {"sentiment": Labelled(pa.array(["held  back"]), np.array([0]), None)}
    texts = pa.array(["Cats & dogs", "so  it is ", "held back", "new", "NEW", "new", "other"])
    assert unseen(texts, known, held).to_pylist() == ["new", "other"]


def test_mixed() -> None:
    """Labels and the teacher's word by its trust; rows without a label by its word alone, but toward a target."""
    examples = {"sentiment": _SENTIMENT, "stance": _STANCE}
    heads = lay_out(examples)
    learnt = lessons(heads, examples, 0.0, off_topic=0.02)
    said = {head.name: np.full((5, 3), [0.2, 0.2, 0.6], np.float32) for head in heads}
    made = mixed(learnt, heads, said, pa.array(["nobody"]), 0.5, 0.25, 0.02)
    assert made.texts.to_pylist() == ["good", "bad", "purr", "bark", "nobody"]
    sentiment, cats, dogs = (list(head.columns) for head in heads)
    np.testing.assert_allclose(made.wanted[:2, sentiment], [[0.1, 0.1, 0.8], [0.6, 0.1, 0.3]])
    np.testing.assert_allclose(made.wanted[2:, sentiment], [[0.2, 0.2, 0.6]] * 3)
    np.testing.assert_allclose(made.weights[:, 0], [1, 1, 0.25, 0.25, 0.25])
    np.testing.assert_allclose(made.wanted[2, cats], [0.1, 0.1, 0.8])
    np.testing.assert_allclose(made.wanted[[0, 1, 3], :][:, cats], [[1, 0, 0]] * 3)
    np.testing.assert_allclose(made.weights[:, 1], [0.02, 0.02, 1, 0.02, 0])
    np.testing.assert_allclose(made.wanted[3, dogs], [0.1, 0.6, 0.3])


def test_mixed_without_a_head() -> None:
    """A head that the teacher does not know learns its labels, and nothing of what nobody labelled."""
    examples = {"sentiment": _SENTIMENT}
    heads = lay_out(examples)
    learnt = lessons(heads, examples, 0.0)
    made = mixed(learnt, heads, {}, pa.array(["nobody"]), 0.5, 0.25, 0.0)
    np.testing.assert_array_equal(made.wanted[:2], learnt.wanted)
    np.testing.assert_array_equal(made.weights[2], [0])

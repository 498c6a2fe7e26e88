"""A cascade of two models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from schemas.errors import EchoPulseError
from transforms.artifact import Manifest, Stages, Task, find_artifact
from transforms.bag import load_bag
from transforms.cascade import SHED, Cascade
from transforms.conformance import batch_of
from transforms.decision import certainty
from transforms.model import TableModel
from transforms.shedding import parse_shedding

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

STRONG = "sha256:strong"
TEXTS = ["i love this", "i hate this", "meh", "the table is brown", "great game, well played", "ok then"]


class _Shouting(TableModel):
    """A strong model of the test's own, sure that everything is positive."""

    def score_distinct(self, texts: pa.StringArray) -> NDArray[np.float32]:
        return np.tile(np.array([0, 0, 9], np.float32), (len(texts), 1))


def _cascade(threshold: float, shed: str = "", first_digest: str | None = None) -> Cascade:
    fast = load_bag(find_artifact("default"))
    task = Task(
        labels=("negative", "neutral", "positive"), columns=(0, 1, 2), link="softmax", slope=1, offsets=(0, 0, 0)
    )
    strong = _Shouting(Manifest(kind="onnx", name="strong", tasks={"sentiment": task}, files={}), STRONG)
    stages = Stages(
        first="default",
        first_digest=first_digest or fast.digest,
        second="strong",
        second_digest=STRONG,
        thresholds={"sentiment": threshold},
    )
    manifest = Manifest(
        kind="cascade", name="both", tasks={"sentiment": fast.manifest.task("sentiment")}, files={}, cascade=stages
    )
    return Cascade(manifest, "sha256:both", fast, strong, parse_shedding(shed) if shed else None)


def test_asks_where_the_first_is_less_certain() -> None:
    """Exactly the rows under the threshold are the second's; what a row is given does not depend on its batch."""
    batch = batch_of(TEXTS)
    fast = load_bag(find_artifact("default"))
    quick = fast.answer("sentiment", batch)
    sure = certainty(fast.manifest.task("sentiment"), quick.probabilities)
    threshold = float(np.median(sure))
    answer = _cascade(threshold).answer("sentiment", batch)
    asked = sure < threshold
    assert 0 < asked.sum() < len(TEXTS)
    assert answer.models.to_pylist() == [STRONG if yes else fast.digest for yes in asked]
    assert (answer.chosen[asked] == 2).all()
    assert np.array_equal(answer.chosen[~asked], quick.chosen[~asked])
    for row in range(len(TEXTS)):
        alone = _cascade(threshold).answer("sentiment", batch.slice(row, 1))
        assert alone.models[0] == answer.models[row]
        assert alone.probabilities[0] == pytest.approx(answer.probabilities[row])


def test_sheds_and_says_so() -> None:
    """An event that is shed keeps the first model's answer, and its model says so."""
    answer = _cascade(100.0, shed="/=1").answer("sentiment", batch_of(TEXTS))
    fast = load_bag(find_artifact("default"))
    assert answer.models.to_pylist() == [fast.digest + SHED] * len(TEXTS)
    assert set(_cascade(100.0).answer("sentiment", batch_of(TEXTS)).models.to_pylist()) == {STRONG}


def test_another_model_than_it_was_tuned_for() -> None:
    """A stage with another digest is refused: its thresholds would mean nothing."""
    with pytest.raises(EchoPulseError, match=r"was tuned for sha256:other"):
        _cascade(1.0, first_digest="sha256:other")

"""A model's scores, kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from echopulse.training.remembered import remembered
from schemas.errors import EchoPulseError
from transforms.artifact import find_artifact
from transforms.loading import load_model
from transforms.model import TableModel, question

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEXTS = pa.array(["what a day", "What a day!", "nobody asked", "what a day", ""])


@pytest.fixture(scope="module")
def model() -> TableModel:
    """The shipped default."""
    found = load_model(find_artifact("default"))
    assert isinstance(found, TableModel)
    return found


def test_it_answers_as_the_model_did(model: TableModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """For every task, and without asking the model again."""
    kept = remembered(model, [TEXTS.slice(0, 2), TEXTS.slice(2)], lambda _: None)
    wanted = {task: model.answer(task, question(TEXTS)) for task in model.manifest.tasks}

    def refuse(_: TableModel, texts: pa.StringArray) -> NDArray[np.float32]:
        raise AssertionError(texts)

    monkeypatch.setattr(type(model), "score_distinct", refuse)
    for task, answer in wanted.items():
        found = kept.answer(task, question(TEXTS))
        np.testing.assert_array_equal(found.probabilities, answer.probabilities)
        np.testing.assert_array_equal(found.chosen, answer.chosen)
        assert found.models.equals(answer.models)


def test_each_text_is_read_once_in_batches(model: TableModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often and in how many parts it comes."""
    read: list[list[str]] = []
    score = type(model).score_distinct

    def overheard(asked: TableModel, texts: pa.StringArray) -> NDArray[np.float32]:
        read.append(texts.to_pylist())
        return score(asked, texts)

    monkeypatch.setattr(type(model), "score_distinct", overheard)
    monkeypatch.setattr("echopulse.training.remembered._BATCH", 2)
    told: list[str] = []
    remembered(model, [TEXTS, TEXTS], told.append)
    distinct = sorted(set(question(TEXTS).column("normalised").to_pylist()))
    assert sorted(text for part in read for text in part) == distinct
    assert max(map(len, read)) == 2
    assert told[0] == f"asking default about {len(distinct)} texts"


def test_another_manifest_decides_over_the_same_scores(model: TableModel) -> None:
    """Its threshold, for instance."""
    kept = remembered(model, [TEXTS], lambda _: None)
    task = model.manifest.task("toxicity").model_copy(update={"threshold": 0.0})
    other = kept.by(model.manifest.model_copy(update={"tasks": {"toxicity": task}}))
    assert other.answer("toxicity", question(TEXTS)).chosen.tolist() == [1] * len(TEXTS)
    assert other.digest == model.digest


def test_it_knows_no_other_text(model: TableModel) -> None:
    """And says how many it was not asked about."""
    kept = remembered(model, [TEXTS], lambda _: None)
    with pytest.raises(EchoPulseError) as caught:
        kept.answer("toxicity", question(pa.array(["what a day", "new", "newer"])))
    assert str(caught.value) == "'default' was not asked about 2 of the texts"

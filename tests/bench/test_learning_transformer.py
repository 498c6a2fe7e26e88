"""The learning curve of a transformer, end to end; a bag stands in for it, which learns in a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench import learning_transformer
from bench.learning import LEARNT, SHOWN
from echopulse.training import bag
from echopulse.training.datasets import chosen_tasks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from echopulse.training.folds import Examples
    from echopulse.training.transformer import Recipe

_WORDS = {
    "sentiment": {"negative": "awful", "neutral": "table", "positive": "great"},
    "offensive": {"not_offensive": "friend", "offensive": "oaf"},
    "hate": {"not_hate": "friend", "hate": "dunce"},
    "stance": {"none": "table", "against": "bark", "favor": "purr"},
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two hundred rows of each label to learn from, ten to ask about."""
    folder = tmp_path / "data"
    folder.mkdir()
    for task, words in _WORDS.items():
        for split, rows in (("train", 200), ("val", 10)):
            labels = [label for _ in range(rows) for label in words]
            texts = [f"{words[label]} number {place} {task}" for place, label in enumerate(labels)]
            table = {"text": texts, "label": labels} | ({"target": ["cats"] * len(texts)} if task == "stance" else {})
            pq.write_table(pa.table(table), folder / f"{task}.{split}.parquet")
    return folder


def test_every_task_at_every_share(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each share is trained once, on so many rows, and each task has its figure, with an interval, in percent."""
    learnt: list[int] = []

    def fit(examples: Examples, held: Examples, output: Path, recipe: Recipe, progress: Callable[[str], None]) -> str:
        learnt.append(sum(len(rows.labels) for rows in examples.values()))
        return bag.fit(examples, held, output, bag.Recipe(seed=recipe.seed), progress)

    monkeypatch.setattr(learning_transformer, "fit", fit)
    monkeypatch.setattr(learning_transformer, "_SHARES", (0.25, 0.5))
    section = learning_transformer.measure(data, tmp_path / "models")
    assert section.name == "learning-transformer"
    assert [figure.what for figure in section.figures] == [
        f"{task}, {share} % of the rows, transformer" for share in (25, 50) for task in SHOWN
    ]
    for figure in section.figures:
        assert len(figure.runs) == 1
        assert 90 < figure.runs[0] <= 100
        assert figure.against.startswith("95 % interval ")
    whole = sum(len(words) * 200 for words in _WORDS.values()) + 4 * 200
    assert set(chosen_tasks(LEARNT)) > set(_WORDS)
    assert learnt == [pytest.approx(share * whole, rel=0.1) for share in (0.25, 0.5)]

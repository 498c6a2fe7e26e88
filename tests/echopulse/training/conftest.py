"""A folder of labelled texts of our own making, in the form of the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MOODS = {
    "negative": ("awful", "sad", "broken"),
    "neutral": ("table", "monday", "train"),
    "positive": ("great", "happy", "sun"),
}
_INSULTS = {"offensive": ("dunce", "oaf", "twit"), "not_offensive": ("friend", "neighbour", "colleague")}


def _write(path: Path, words: Mapping[str, tuple[str, ...]], rows: int) -> None:
    labels = [label for _ in range(rows) for label in words]
    texts = [f"{words[label][place % 3]} number {place} today" for place, label in enumerate(labels)]
    pq.write_table(pa.table({"text": texts, "label": labels}), path)


def _stances(rows: int) -> pa.Table:
    """Toward cats and dogs, whose words mean the opposite for the other."""
    words = {"cats": ("meow", "bark"), "dogs": ("bark", "meow")}
    table: dict[str, list[str]] = {"text": [], "label": [], "target": []}
    for place in range(rows):
        for target, (liked, disliked) in words.items():
            for label, word in (("favor", liked), ("against", disliked), ("none", "table")):
                table["text"].append(f"{target} {word} number {place} today")
                table["label"].append(label)
                table["target"].append(target)
    return pa.table(table)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files for sentiment, offensive, hate and stance (train, val, test) and one without splits."""
    folder = tmp_path_factory.mktemp("data")
    hate = {label.replace("offensive", "hate"): words for label, words in _INSULTS.items()}
    for split, rows in (("train", 40), ("val", 10), ("test", 10)):
        _write(folder / f"sentiment.{split}.parquet", _MOODS, rows)
        _write(folder / f"offensive.{split}.parquet", _INSULTS, rows)
        _write(folder / f"hate.{split}.parquet", hate, rows)
        pq.write_table(_stances(rows), folder / f"stance.{split}.parquet")
    three = {"hate": ("dunce",) * 3, "offensive": ("oaf",) * 3, "neither": ("friend",) * 3}
    _write(folder / "davidson.parquet", three, 20)
    return folder

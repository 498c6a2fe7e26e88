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


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files for sentiment, offensive and hate (train, val, test) and one without splits."""
    folder = tmp_path_factory.mktemp("data")
    hate = {label.replace("offensive", "hate"): words for label, words in _INSULTS.items()}
    for split, rows in (("train", 40), ("val", 10), ("test", 10)):
        _write(folder / f"sentiment.{split}.parquet", _MOODS, rows)
        _write(folder / f"offensive.{split}.parquet", _INSULTS, rows)
        _write(folder / f"hate.{split}.parquet", hate, rows)
    three = {"hate": ("dunce",) * 3, "offensive": ("oaf",) * 3, "neither": ("friend",) * 3}
    _write(folder / "davidson.parquet", three, 20)
    return folder

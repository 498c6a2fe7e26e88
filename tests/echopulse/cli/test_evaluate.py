"""The command `evaluate`: a table or one JSON document on stdout, its steps on stderr."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from echopulse.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A handful of labelled texts."""
    texts = {"positive": "lovely sun", "negative": "awful rain", "neutral": "a table"}
    table = pa.table({"text": list(texts.values()) * 20, "label": list(texts) * 20})
    for split in ("val", "test"):
        pq.write_table(table, tmp_path / f"sentiment.{split}.parquet")
    return tmp_path


def test_text_output(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json a person reads a table."""
    assert main(["evaluate", "default", "--data", str(data)]) == 0
    assert "macro_recall" in capsys.readouterr().out


def test_a_split_that_is_not_there(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The files that were wanted are named, and a split that there are files of."""
    (data / "sentiment.test.parquet").unlink()
    assert main(["evaluate", "default", "--data", str(data)]) == 1
    told = capsys.readouterr().err
    assert "sentiment.test.parquet" in told
    assert "it has others: --split val" in told


def test_its_steps_are_told(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each on stderr, and none on stdout; what it says under evasion is a step for each way."""
    offensive = pa.table({"text": ["you idiot", "good morning"] * 20, "label": ["offensive", "not_offensive"] * 20})
    pq.write_table(offensive, data / "offensive.test.parquet")
    assert main(["evaluate", "default", "--data", str(data), "--json"]) == 0
    streams = capsys.readouterr()
    assert set(json.loads(streams.out)["tasks"]) == {"sentiment", "offensive", "toxicity"}
    opening, *tasks, tracking = streams.err.splitlines()
    assert opening.startswith("opening ")
    assert tracking.startswith("not tracked: ")
    assert sorted(tasks) == [
        "offensive: 40 texts (task 2 of 3)",
        "sentiment: 60 texts (task 1 of 3)",
        "toxicity: 40 texts (task 3 of 3)",
    ]
    assert main(["evaluate", "default", "--data", str(data), "--json", "--robustness"]) == 0
    streams = capsys.readouterr()
    assert len(json.loads(streams.out)["evasion"]["offensive"]) > 1
    told = streams.err.splitlines()[:-1]
    assert told[4] == "offensive, as written"
    assert told[5].startswith("offensive, disguised by ")
    assert told[-1] == "sentences that name a group of people"

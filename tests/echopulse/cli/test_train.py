"""The commands `train` and `evaluate`, as a person calls them."""

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
    for split in ("train", "val", "test"):
        pq.write_table(table, tmp_path / f"sentiment.{split}.parquet")
    return tmp_path


def test_train_then_evaluate(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model trained by the command is evaluated by the command, each with one JSON document on stdout."""
    output = data / "model"
    assert main(["train", "sentiment", "--data", str(data), "--output", str(output), "--epochs", "2", "--json"]) == 0
    trained = json.loads(capsys.readouterr().out)
    assert (output / "README.md").is_file()
    assert main(["evaluate", str(output), "--data", str(data), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["digest"] == trained["digest"]
    assert document["tasks"]["sentiment"] == {
        "metric": "macro_recall",
        "value": 100,
        "low": 100,
        "high": 100,
        "rows": 60,
    }


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["train", "--data", ".", "--output", "x"], 2, "no task given"),
        (["train", "sentiment", "--output", "x"], 2, "no data given (--data names a folder of"),
        (["train", "hate", "--checkpoint", "a/b", "--kind", "bag", "--output", "x"], 2, "a checkpoint is not trained"),
        (["train", "hate", "--checkpoint", "a/b", "--seed", "1", "--output", "x"], 2, "a checkpoint is not trained"),
        (["train", "hate", "--labels", "a=hate", "--data", ".", "--output", "x"], 2, "without --checkpoint"),
        (["train", "--kind", "cascade", "--first", "defalt", "--data", ".", "--output", "x"], 1, "did you mean"),
        (["train", "hate", "--second", "x", "--data", ".", "--output", "x"], 1, "a bag is trained without second"),
        (["train", "sentimnt", "--data", ".", "--output", "x"], 1, "did you mean 'sentiment'"),
        (["evaluate", "defalt", "--data", "."], 1, "did you mean 'default'"),
    ],
)
def test_faults(arguments: list[str], code: int, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A fault is one line on stderr and its exit code."""
    assert main(arguments) == code
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.count("\n") == 1
    assert told in streams.err


@pytest.mark.parametrize("asked", [["--epochs", "1"], ["--checkpoint", "a/b"]])
def test_what_is_there_is_not_written_over(asked: list[str], data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that holds something, or a file, is refused in one line, and nothing of it changes."""
    output = data / "model"
    output.mkdir()
    (output / "manifest.json").write_text("mine")
    for place, told in (
        (output, f"--output {output} is not empty (name another folder, or add --overwrite)"),
        (output / "manifest.json", f"--output {output / 'manifest.json'} is a file (name a folder)"),
    ):
        assert main(["train", "sentiment", "--data", str(data), "--output", str(place), *asked]) == 1
        assert capsys.readouterr().err == f"echopulse: {told}\n"
    assert [path.read_text() for path in output.iterdir()] == ["mine"]


def test_overwrite(data: Path) -> None:
    """An empty folder is taken as it is; one that holds a model is when that is asked for."""
    output = data / "model"
    output.mkdir()
    train = ["train", "sentiment", "--data", str(data), "--output", str(output), "--epochs", "1", "--json"]
    assert main(train) == 0
    before = (output / "manifest.json").read_bytes()
    assert main([*train, "--seed", "1", "--overwrite"]) == 0
    assert (output / "manifest.json").read_bytes() != before

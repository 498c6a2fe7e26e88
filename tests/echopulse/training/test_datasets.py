"""Labelled files, their faults and their digests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from echopulse.training.datasets import chosen_tasks, data_digests, load, read_texts, task_files
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path


def test_chosen_tasks() -> None:
    """Toxicity brings its parts; an unknown task names the near miss."""
    assert chosen_tasks(["toxicity", "sentiment"]) == ["sentiment", "offensive", "hate", "toxicity"]
    with pytest.raises(EchoPulseError, match="did you mean 'toxicity'"):
        chosen_tasks(["toxicty"])


def test_toxicity_is_all_three(data: Path) -> None:
    """Toxicity joins the three files; the one without splits gives a tenth to validation and nothing to the test."""
    sizes = {}
    for split in ("train", "val", "test"):
        labelled = load(data, "toxicity", split)
        assert labelled is not None
        sizes[split] = len(labelled.labels)
    assert sizes == {"train": 80 + 80 + 54, "val": 20 + 20 + 6, "test": 20 + 20}


def test_a_file_without_splits_is_of_training_and_validation_alone(data: Path) -> None:
    """Of a split that is mistyped, or held back, nothing is there."""
    for split, there in {"train": True, "val": True, "test": False, "vall": False}.items():
        assert ("davidson" in task_files(data, "toxicity", split)) is there


def test_absent(data: Path) -> None:
    """A split that is not there is None, and its files have no digest."""
    assert load(data, "sentiment", "none") is None
    assert list(data_digests(data, ["sentiment"])) == ["sentiment.train.parquet", "sentiment.val.parquet"]


def test_targets(data: Path) -> None:
    """Stance has a target a row, and its rows can be parted by it."""
    labelled = load(data, "stance", "val")
    assert labelled is not None
    assert labelled.targets is not None
    cats = labelled.where(np.array([target == "cats" for target in labelled.targets.to_pylist()]))
    assert len(cats.labels) == 30
    assert set(cats.targets.to_pylist() if cats.targets else []) == {"cats"}


def test_texts(data: Path, tmp_path: Path) -> None:
    """Texts alone are read from a file that has them."""
    assert len(read_texts(data / "hate.train.parquet")) == 80
    with pytest.raises(EchoPulseError, match=r"none\.parquet cannot be read.*columns: text"):
        read_texts(tmp_path / "none.parquet")


def test_texts_of_a_replay(tmp_path: Path) -> None:
    """A replay file says its texts in its payloads; a row that says nothing is ''."""
    rows = {
        "id": ["1", "2", "3"],
        "source": ["replay"] * 3,
        "raw": ['{"text": "hello there"}', "{}", '{"text": "¡olé!"}'],
    }
    pq.write_table(pa.table(rows), tmp_path / "replay.parquet")
    assert read_texts(tmp_path / "replay.parquet").to_pylist() == ["hello there", "", "¡olé!"]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"text": ["a"], "label": ["positiv"]}, "label 'positiv' is none of sentiment's .*did you mean 'positive'"),
        ({"text": ["a"]}, "text, label"),
    ],
)
def test_faults(tmp_path: Path, table: dict[str, list[str]], told: str) -> None:
    """A wrong label or a missing column is told with the file."""
    pq.write_table(pa.table(table), tmp_path / "sentiment.test.parquet")
    with pytest.raises(EchoPulseError, match=rf"sentiment\.test\.parquet.*{told}"):
        load(tmp_path, "sentiment", "test")


def test_not_parquet(tmp_path: Path) -> None:
    """A file that is no Parquet is told."""
    (tmp_path / "sentiment.test.parquet").write_bytes(b"text,label\n")
    with pytest.raises(EchoPulseError, match=r"sentiment\.test\.parquet cannot be read"):
        load(tmp_path, "sentiment", "test")

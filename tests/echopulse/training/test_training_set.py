"""The rows of a training, told again: the same ones give the same version, others are refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from echopulse.training.heads import declaration
from echopulse.training.training_set import training_set
from features.lake.versions import parquet_bytes
from schemas.errors import EchoPulseError
from tests.features.lake.lakes import folder_lake, write
from transforms.artifact import Manifest, file_digest, find_artifact, read_manifest, shipped

if TYPE_CHECKING:
    from pathlib import Path

LABELS = ["negative", "neutral", "positive"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of labelled rows, and one of texts that a teacher labels."""
    lake = folder_lake(tmp_path)
    for split in ("train", "val"):
        texts = [f"{split} number {place}" for place in range(30)]
        write(lake, f"sentiment.{split}.parquet", {"text": texts, "label": LABELS * 10}, "", "data")
    write(lake, "more.parquet", {"text": ["nobody labelled this", "train number 1"]}, "", "data")
    return tmp_path / "data"


def model(data: Path) -> Manifest:
    """A model that was trained on the folder as it is."""
    recipe = {"evenness": 1.0, "off_topic": 0.02, "chat_per_thousand": 100, "seed": 0}
    teaching = {"unlabelled": {"more.parquet": file_digest(data / "more.parquet")}, "teacher_weight": 0.5}
    training = declaration(["sentiment"], data) | recipe | teaching
    return Manifest(kind="bag", name="mine", tasks={}, files={}, training=training)


def test_rows_are_those_of_training_in_its_order(data: Path) -> None:
    """Labelled rows with weights, then texts without labels that are not known yet, then what is made up."""
    found = training_set(model(data), data, as_trained=True)
    rows = found.rows.to_pylist()
    assert [row["text"] for row in rows[:30]] == [f"train number {place}" for place in range(30)]
    assert rows[0] == {
        "origin": "labelled",
        "task": "sentiment",
        "target": None,
        "label": "negative",
        "text": "train number 0",
        "wanted": [1.0, 0.0, 0.0],
        "weights": [1.0],
    }
    assert [(row["text"], row["wanted"], row["weights"]) for row in rows if row["origin"] == "unlabelled"] == [
        ("nobody labelled this", None, [0.5])
    ]
    assert [row["origin"] for row in rows].count("chat") == 3
    assert found.heads == ("sentiment",)
    assert list(found.files) == ["sentiment.train.parquet", "sentiment.val.parquet", "more.parquet"]


def test_the_version_is_of_rows_not_of_files(data: Path) -> None:
    """Compressed otherwise, the set has the same version and bytes, though it is not as trained by its files."""
    declared = model(data)
    before = training_set(declared, data, as_trained=True)
    path = data / "sentiment.train.parquet"
    pq.write_table(pq.read_table(path), path, compression="none", row_group_size=7)
    again = training_set(declared, data, as_trained=False)
    assert again.version == before.version
    assert parquet_bytes(again.rows) == parquet_bytes(before.rows)
    pq.write_table(pq.read_table(path).slice(1), path)
    assert training_set(declared, data, as_trained=False).version != before.version


def test_what_is_not_as_it_was_is_named(data: Path) -> None:
    """Changed, erased from, and missing."""
    declared, path = model(data), data / "sentiment.train.parquet"
    was = file_digest(path)
    pq.write_table(pq.read_table(path).slice(1), path)
    with pytest.raises(EchoPulseError) as changed:
        training_set(declared, data, as_trained=True)
    assert str(changed.value) == (
        f"{path} is not what 'mine' was trained on: {file_digest(path)} instead of {was} "
        "(leave out --as-trained for what the files hold today)"
    )
    with pytest.raises(EchoPulseError) as erased:
        training_set(declared, data, as_trained=True, erased=lambda: {was: "2026-11-25T13:00:00Z"})
    assert str(erased.value) == (
        f"{path}: rows that 'mine' was trained on were erased on 2026-11-25T13:00:00Z "
        "(`feature forget` took a user's rows out: what the model was trained on is no more)"
    )
    (data / "more.parquet").unlink()
    with pytest.raises(EchoPulseError, match=r"more\.parquet is missing \(a teacher labelled it"):
        training_set(declared, data, as_trained=False)


def test_a_cascade_was_not_trained(data: Path) -> None:
    """Its models are named."""
    assert "cascade" in shipped()
    with pytest.raises(EchoPulseError) as caught:
        training_set(read_manifest(find_artifact("cascade"))[0], data, as_trained=False)
    assert str(caught.value) == (
        "model 'cascade' is a cascade: it was tuned, not trained (its models were: default, transformer)"
    )

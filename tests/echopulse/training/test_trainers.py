"""Orders of trainings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from echopulse.training.order import Order
from echopulse.training.trainers import train_model
from schemas.errors import EchoPulseError
from transforms.artifact import read_manifest
from transforms.drift_texts import word_hashes
from transforms.drift_words import read_words
from transforms.normalisation import normalise

if TYPE_CHECKING:
    from pathlib import Path


def _ignore(line: str) -> None:
    del line


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ({"kind": "bag", "unlabelled": True}, "--unlabelled without --teacher"),
        ({"kind": "transformer", "teacher": "default"}, "a transformer is trained without teacher"),
        ({"kind": "transformer", "unlabelled": True}, "--unlabelled without --teachers"),
        ({"kind": "transformer", "teachers": 3}, "--teachers without --teacher-base"),
        ({"kind": "transformer", "teachers": 1, "teacher_base": "."}, "--teachers 1"),
        ({"kind": "transformer", "teachers": 2, "teacher_base": "."}, r"holds no config\.json"),
        ({"kind": "bag", "teachers": 2}, "a bag is trained without teachers"),
        ({"kind": "cascade", "teachers": 2}, "a cascade is trained without teachers"),
        ({"kind": "cascade", "tasks": ("sentiment",)}, "a cascade is trained without tasks"),
        ({"kind": "cascade", "unlabelled": True}, "a cascade is trained without unlabelled"),
        ({"kind": "cascade", "unlabelled": True, "folds": 2, "first": "default"}, "a cascade is trained without unlab"),
        ({"kind": "bag", "teacher": "default", "folds": 2}, "--folds with --teacher"),
        ({"kind": "bag", "teacher": "defualt"}, "did you mean 'default'"),
    ],
)
def test_faults(data: Path, tmp_path: Path, order: dict[str, object], told: str) -> None:
    """An option that the kind has no use for is told."""
    whole = {"tasks": () if order["kind"] == "cascade" else ("hate",), **order}
    if "unlabelled" in whole:
        whole["unlabelled"] = (data / "hate.train.parquet",)
    with pytest.raises(EchoPulseError, match=told):
        train_model(Order(data=data, output=tmp_path / "out", **whole), _ignore)  # type: ignore[arg-type]


def test_the_words_of_a_training_go_with_the_model(data: Path, tmp_path: Path) -> None:
    """Every word of the training rows, in a file that the manifest vouches for; twice the same bytes."""
    digests = []
    for name in ("one", "two"):
        folder = tmp_path / name / "model"
        found = train_model(Order("bag", ("hate",), data, folder, epochs=1), _ignore)
        digests.append(found["digest"])
        assert found["digest"] == read_manifest(folder)[1]
    texts = pq.read_table(data / "hate.train.parquet")["text"].combine_chunks()
    hashes, counts = word_hashes(normalise(texts).normalised)
    assert counts.sum() > 0
    assert read_words(folder).tolist() == sorted(set(hashes.tolist()))
    assert digests[0] == digests[1]

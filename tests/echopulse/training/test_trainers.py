"""Orders of trainings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.training.trainers import Order, train_model
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path


def _ignore(line: str) -> None:
    del line


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ({"kind": "bag", "unlabelled": True}, "--unlabelled without --teacher"),
        ({"kind": "transformer", "teacher": "default"}, "a transformer is trained without teacher"),
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

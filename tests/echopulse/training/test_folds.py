"""Cross-validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from echopulse.training.bag import Recipe, fit
from echopulse.training.folds import Fold, cross_validate
from schemas.errors import EchoPulseError
from transforms.loading import load_model

if TYPE_CHECKING:
    from pathlib import Path

    from transforms.model import Model


def _ignore(line: str) -> None:
    del line


def test_every_row_is_asked_once_and_never_learnt(data: Path) -> None:
    """The folds cover all rows of both splits; no text that is asked about was learnt or calibrated on."""
    seen: list[Fold] = []

    def fitted(fold: Fold) -> dict[str, Model]:
        seen.append(fold)
        fit(fold.learnt, fold.calibrating, fold.folder, Recipe(), _ignore)
        return {"own": load_model(fold.folder)}

    document = cross_validate(["sentiment", "stance"], data, 3, fitted, _ignore)["own"]
    assert document["sentiment"]["rows"] == 120 + 30
    assert document["stance"]["rows"] == 240 + 60
    assert [len(document[name]["folds"]) for name in document] == [3, 3]
    assert document["sentiment"]["value"] > 90
    for fold in seen:
        for name in document:
            learnt, calibrated, asked = (part[name].texts for part in (fold.learnt, fold.calibrating, fold.asked))
            assert not pc.any(pc.is_in(learnt, pa.concat_arrays([calibrated, asked]))).as_py()
            assert not pc.any(pc.is_in(calibrated, asked)).as_py()
            assert len(learnt) + len(calibrated) + len(asked) == document[name]["rows"]


def test_faults(data: Path, tmp_path: Path) -> None:
    """One fold, or a folder without rows, is told."""
    with pytest.raises(EchoPulseError, match="1 folds"):
        cross_validate(["sentiment"], data, 1, lambda _: {}, _ignore)
    with pytest.raises(EchoPulseError, match="no rows for hate"):
        cross_validate(["hate"], tmp_path, 2, lambda _: {}, _ignore)

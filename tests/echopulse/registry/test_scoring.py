"""Texts scored on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.registry import scoring
from echopulse.registry.scoring import Scorer
from schemas.errors import EchoPulseError
from tests.echopulse.registry.conftest import renamed
from transforms.artifact import SHIPPED, read_manifest

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = SHIPPED / "default"
DIGEST = read_manifest(FOLDER)[1]


def test_scores_are_the_models() -> None:
    """A label and the chances of all, for a task and toward a target; no texts are no fault."""
    scorer = Scorer()
    found = scorer.score(FOLDER, DIGEST, "sentiment", ["what a lovely day", "this is awful"])
    assert found.said == ["positive", "negative"]
    assert [len(chances) for chances in found.chances] == [3, 3]
    assert scorer.score(FOLDER, DIGEST, "hate", []).said == []
    target = read_manifest(FOLDER)[0].stance_targets()[0]
    assert scorer.score(FOLDER, DIGEST, "stance", ["a table"], target).labels == ("none", "against", "favor")


@pytest.mark.parametrize(
    ("task", "texts", "target", "told"),
    [
        ("sentiment", ["x"] * 1_001, "", "1,001 texts in one request (at most 1,000)"),
        ("sentiment", ["x"], "cats", "sentiment is toward nobody (leave out the target)"),
        ("stance", ["x"], "cats", "model 'default' knows no stance toward 'cats'"),
    ],
)
def test_faults(task: str, texts: list[str], target: str, told: str) -> None:
    """Each is told."""
    with pytest.raises(EchoPulseError) as error:
        Scorer().score(FOLDER, DIGEST, task, texts, target)
    assert str(error.value).startswith(told)


def test_only_so_many_stay_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one asked longest ago goes; asked again, it comes back."""
    monkeypatch.setattr(scoring, "MOST_OPEN", 1)
    scorer = Scorer()
    other, digest = renamed(FOLDER, tmp_path / "other")
    for folder, each in ((FOLDER, DIGEST), (other, digest), (FOLDER, DIGEST)):
        assert scorer.score(folder, each, "hate", ["x"]).digest == each
        assert list(scorer._open) == [each]

"""Metrics under evasion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.training.robustness import robustness, under_evasion
from transforms.artifact import find_artifact
from transforms.evasion import ATTACKS
from transforms.loading import load_model

if TYPE_CHECKING:
    from pathlib import Path


def test_table(data: Path) -> None:
    """Each task that somebody would evade has its metric plain and under each attack."""
    table = under_evasion(load_model(find_artifact("default")), data, "test")
    assert set(table) == {"offensive", "hate", "toxicity"}
    for row in table.values():
        assert list(row) == ["plain", *ATTACKS]
    assert set(robustness("default", data, "test")) == {"evasion", "identity"}

"""Billed reads, counted on disk."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson
import pytest

from echopulse.gateway.platforms.read_budget import ReadBudget
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

_NOW = datetime(2026, 12, 31, 23, 0, tzinfo=UTC)


def test_a_killed_process_counts_too_many(tmp_path: Path) -> None:
    """What is on disk is never less than what was made."""
    path = tmp_path / "spent.json"
    budget = ReadBudget(path, 1_000)
    with budget:
        for made in range(1, 151):
            assert budget.take(_NOW) == 1_000 - made
            assert orjson.loads(path.read_bytes())["reads"] >= made
        assert orjson.loads(path.read_bytes())["reads"] == 200
    assert orjson.loads(path.read_bytes()) == {"month": "2026-12", "reads": 150}


def test_a_new_month_begins_at_nothing(tmp_path: Path) -> None:
    """Also while it runs."""
    with ReadBudget(tmp_path / "deep" / "spent.json", 1) as budget:
        assert budget.take(_NOW) == 0
        assert budget.spent(_NOW) == "the budget of 1 posts is spent for 2026-12; it goes on 2027-01-01 UTC"
        assert budget.wait_s(_NOW) == 3_600
        assert budget.left(datetime(2027, 1, 1, tzinfo=UTC)) == 1


def test_two_sources_do_not_share_a_file(tmp_path: Path) -> None:
    """Each would count over the other."""
    with ReadBudget(tmp_path / "a", 1), pytest.raises(EchoPulseError, match="is counted in by another source"):
        ReadBudget(tmp_path / "a", 1).__enter__()


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    """It is not taken for nothing spent."""
    (tmp_path / "a").write_text("[]")
    with pytest.raises(EchoPulseError, match="is no count of reads"):
        ReadBudget(tmp_path / "a", 1).__enter__()

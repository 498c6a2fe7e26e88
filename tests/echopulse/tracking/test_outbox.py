"""Runs that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.tracking import outbox
from echopulse.tracking.outbox import Outbox
from echopulse.tracking.record import RunRecord, read_record
from echopulse.tracking.server import MlflowAwayError, MlflowServer
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_oldest_is_first_and_half_a_run_does_not_wait(tmp_path: Path) -> None:
    """They wait in the order in which they began; what was not written whole is no run."""
    box = Outbox(tmp_path / "runs")
    assert box.waiting() == []
    for began_ms in (2_000_000_000_000, 1_000_000_000_000):
        box.keep(RunRecord("train", "t", began_ms=began_ms))
    (box.folder / ".half").mkdir()
    assert [read_record(folder).began_ms for folder in box.waiting()] == [1_000_000_000_000, 2_000_000_000_000]


def test_only_so_many_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is bounded, and says what to do."""
    monkeypatch.setattr(outbox, "MOST_WAITING", 1)
    box = Outbox(tmp_path)
    box.keep(RunRecord("train", "t"))
    with pytest.raises(EchoPulseError, match=r"1 runs wait in .*\(start MLflow, or remove some of them\)"):
        box.keep(RunRecord("train", "t"))


def test_a_server_that_is_away_leaves_them_waiting(tmp_path: Path) -> None:
    """Nothing is lost by an attempt."""
    box = Outbox(tmp_path)
    box.keep(RunRecord("train", "t"))
    with MlflowServer("http://127.0.0.1:1") as server, pytest.raises(MlflowAwayError):
        box.send(server, "e")
    assert len(box.waiting()) == 1

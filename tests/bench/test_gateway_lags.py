"""Lags written by the gateway's own process, and read while it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from bench import gateway_lags
from bench.gateway_lags import acknowledged, lags_ms, record
from echopulse.gateway.source_figures import SourceFigures
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path


async def test_each_event_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And still counted; the time of an event is that of the batch which it was acknowledged with."""
    monkeypatch.setattr(SourceFigures, "observe", SourceFigures.observe)
    written, figures = tmp_path / "lags", SourceFigures()
    record(written)
    figures.observe(np.array([1_000, 1_010]), 1_020)
    figures.observe([1_030], 1_100)
    assert [await acknowledged(written, events) for events in (1, 2, 3)] == [1_020, 1_020, 1_100]
    assert lags_ms(written, 0).tolist() == [20, 10, 70]
    assert lags_ms(written, 1_010).tolist() == [10, 70]
    assert int(figures.lags.sum()) == 3


async def test_those_that_do_not_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are told, with how many did."""
    monkeypatch.setattr(gateway_lags, "_DEADLINE_S", 0.05)
    with pytest.raises(EchoPulseError, match=r"^0 of 5 events were acknowledged$"):
        await acknowledged(tmp_path / "lags", 5)

"""Events drawn from a lake."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from echopulse.drift.sample import LABELS, NUMBERS, TEXTS, Span, sampled
from echopulse.settings_sections import Lake
from schemas.errors import EchoPulseError
from tests.echopulse.drift.lakes import ANGRY, CALM, DAY, write_day

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A calm day and an angry one."""
    folder: Path = tmp_path_factory.mktemp("lake")
    write_day(folder, DAY, CALM, 480)
    write_day(folder, DAY + timedelta(days=1), ANGRY, 240)
    return Lake(path=str(folder))


def test_all_of_a_span(lake: Lake) -> None:
    """To the ms; the event without a text is counted and is none of the rows."""
    columns, total = sampled(lake, Span(DAY, DAY + timedelta(days=1)), 1_000_000)
    assert total == 481
    assert set(columns) == {name for part in (NUMBERS, LABELS, TEXTS) for names in part.values() for name in names}
    assert {len(column) for column in columns.values()} == {480}
    said = set(" ".join(columns["text"].to_pylist()).split())
    assert {"good", "thanks", "today"} <= said
    assert not said & set(ANGRY)
    assert columns["words"].to_pylist() == [len(text.split()) for text in columns["text"].to_pylist()]
    assert set(columns["source"].to_pylist()) == {"twitch"}
    hour = Span(DAY + timedelta(hours=7, seconds=3), DAY + timedelta(hours=7, seconds=8))
    assert sampled(lake, hour, 1_000_000)[1] == 5
    both, total = sampled(lake, Span(DAY + timedelta(hours=12), DAY + timedelta(hours=36)), 1_000_000)
    assert (len(both["text"]), total) == (360, 361)


def test_fewer_are_drawn_and_always_the_same(lake: Lake) -> None:
    """About as many as are wanted."""
    span = Span(DAY, DAY + timedelta(days=2))
    first, total = sampled(lake, span, 200)
    assert total == 722
    assert 150 < len(first["text"]) < 250
    assert sampled(lake, span, 200)[0]["text"] == first["text"]


def test_a_span_without_events_is_told(lake: Lake) -> None:
    """With its times."""
    with pytest.raises(EchoPulseError) as error:
        sampled(lake, Span(DAY - timedelta(days=1), DAY), 10)
    assert str(error.value) == (
        "the lake has no events of 2026-01-30 00:00 UTC to 2026-01-31 00:00 UTC (let the job run for longer)"
    )

"""One entity's values at an instant, from a lake in a folder."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from echopulse.feature_query import instant
from echopulse.feature_query.instant import value_at
from echopulse.settings import Settings
from echopulse.settings_sections import Lake
from features.machinery.view_spec import CompiledView
from schemas.errors import EchoPulseError
from tests.echopulse.feature_query.conftest import SEATS
from tests.echopulse.feature_query.lakes import write_rows

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A lake with two windows of one seat, five seconds until they can be read."""
    views = [CompiledView(SEATS, "", 60_000, 60_000)]
    monkeypatch.setattr(instant, "compiled_views", lambda _repo, _home: views)
    end_ms = round(NOON.timestamp() * 1000)
    blank = [None] * (len(SEATS.features) - 1)
    write_rows(tmp_path, SEATS, ("a", 1, 10, *blank, end_ms), ("a", 1, 20, *blank, end_ms + 60_000))
    return Settings(home=tmp_path / "home", lake=Lake(path=str(tmp_path)))


@pytest.mark.parametrize(("second", "value"), [(4, None), (5, 10), (64, 10), (65, 20)])
def test_a_value_is_there_once_it_could_be_read(
    settings: Settings, tmp_path: Path, second: int, value: int | None
) -> None:
    """Its window's end and the watermark's delay later."""
    found = value_at(settings, tmp_path, SEATS.name, {"channel_id": "a", "seat": "1"}, NOON + timedelta(seconds=second))
    assert found["found"] is (value is not None)
    assert found["features"][SEATS.features[0].name] == value


@pytest.mark.parametrize(
    ("view", "entity", "message"),
    [
        ("seat", {}, f"no feature view 'seat' (did you mean '{SEATS.name}'?)"),
        (SEATS.name, {"channel_id": "a", "set": "1"}, f"view '{SEATS.name}' has no key 'set' (did you mean 'seat'?)"),
        (SEATS.name, {"channel_id": "a"}, f"view '{SEATS.name}' needs the key 'seat' (--entity seat=...)"),
        (SEATS.name, {"channel_id": "a", "seat": "front"}, "--entity seat='front' is no integer"),
    ],
)
def test_what_is_asked_wrongly_is_told(
    settings: Settings, tmp_path: Path, view: str, entity: dict[str, str], message: str
) -> None:
    """With the near miss."""
    with pytest.raises(EchoPulseError) as raised:
        value_at(settings, tmp_path, view, entity, NOON)
    assert str(raised.value) == message

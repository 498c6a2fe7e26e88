"""The rows of a view that a Feast source names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from feast import FileSource

from features.lake import table
from features.lake.listing import listing
from features.lake.view_rows import all_rows, rows_between
from schemas.errors import EchoPulseError
from tests.features.lake.lakes import folder_lake, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from features.lake.listing import Listing
    from features.lake.location import Lake

WINDOW = datetime(2026, 1, 31, 7, 30)  # noqa: DTZ001 as the job writes it, without a zone
MIDNIGHT, NOON = datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def source(tmp_path: Path) -> FileSource:
    """A view's rows in a lake of one file, the second of which was written again."""
    rows = {"channel_id": ["a", "b", "b"], "n": [1, 2, 3], "event_timestamp": [WINDOW] * 3, "written_ms": [1, 1, 2]}
    write(folder_lake(tmp_path), "part-0", rows, table="features/talk")
    return FileSource(name="talk_rows", path=f"{tmp_path}/features/talk/", timestamp_field="event_timestamp")


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables that were listed."""
    seen: list[str] = []

    def noted(lake: Lake, name: str, wanted: Callable[[str], bool] | None = None) -> Listing:
        seen.append(name)
        return listing(lake, name, wanted)

    monkeypatch.setattr(table, "listing", noted)
    return seen


def test_rows_between(source: FileSource, listed: list[str]) -> None:
    """The row written last stands, a feature that no file has is null, and the folder is listed once."""
    types = {"channel_id": pa.string(), "n": pa.int64(), "later": pa.float64()}
    found = rows_between(source, types, ["channel_id"], MIDNIGHT, NOON)
    assert found.select(list(types)).to_pydict() == {"channel_id": ["a", "b"], "n": [1, 3], "later": [None, None]}
    assert rows_between(source, types, ["channel_id"], NOON, NOON).num_rows == 0
    assert listed == ["features/talk"] * 2


def test_rows_of_a_view_without_any(tmp_path: Path) -> None:
    """None between any two times; all of them cannot be had."""
    source = FileSource(name="gone", path=f"{tmp_path}/features/gone/", timestamp_field="event_timestamp")
    assert rows_between(source, {"n": pa.int64()}, [], None, NOON).num_rows == 0
    with pytest.raises(EchoPulseError, match="features/gone has no rows yet"):
        all_rows(source, [])


def test_all_rows(source: FileSource, listed: list[str]) -> None:
    """Without the columns of the folders' names."""
    found = all_rows(source, ["channel_id"])
    assert found.column_names == ["channel_id", "n", "event_timestamp", "written_ms"]
    assert found.column("n").to_pylist() == [1, 3]
    assert listed == ["features/talk"]


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are"),
        ({"AWS_ACCESS_KEY_ID": "echopulse"}, "AWS_SECRET_ACCESS_KEY is"),
    ],
)
def test_keys_that_are_not_set_are_named(given: dict[str, str], missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anybody is asked, and where they are set."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    source = FileSource(name="talk_rows", path="s3://echopulse/lake/features/talk/", timestamp_field="event_timestamp")
    with pytest.raises(EchoPulseError) as told:
        all_rows(source, [])
    assert str(told.value) == (
        f"lake s3://echopulse/lake: {missing} not set, by which Feast reads 'talk_rows' "
        "(export what lake.access_key and lake.secret_key of the settings are; see docs/training-sets.md)"
    )

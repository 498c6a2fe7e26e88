"""What a check reads of the lake: how far it goes, whom it names, and no more events than asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from echopulse.job.check_lake import complete_ms, events_of, sample_entities
from features.lake.location import Lake, LakeLocation, open_lake
from features.machinery.entity_sample import EntitySample
from features.machinery.view_spec import EVENT_TIMESTAMP, AggregationSpec, Column, ViewSpec
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

HOUR_MS = 3_600_000
START_MS = 1_760_000_400_000  # 2025-10-09 09:00 UTC
COUNT = AggregationSpec("n", "count", "event_id", 60_000, 60_000)
BY_CHANNEL = ViewSpec("talk", (Column("channel_id", "string"),), (Column("n", "int64"),), (COUNT,), {}, "toxic == 1")
BY_SEAT = ViewSpec(
    "seats", (Column("seat", "int64"), Column("channel_id", "string")), (Column("n", "int64"),), (COUNT,)
)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Two hours of events: two channels, three seats."""
    opened = open_lake(LakeLocation(str(tmp_path)))
    for hour in range(2):
        rows = [
            {
                "event_id": f"e{hour}{n}",
                "channel_id": ["a", "b", ""][n % 3],
                "seat": n % 4,
                "ts": START_MS + hour * HOUR_MS + n * 1_000,
                "toxic": n % 2,
                "late": None if n else True,
            }
            for n in range(12)
        ]
        write(opened, f"date=2025-10-09/hour={9 + hour:02}", rows)
    return opened


def write(lake: Lake, partition: str, rows: list[dict[str, Any]], table: str = "events", name: str = "part-0") -> None:
    """Write a file of a table."""
    found = pa.Table.from_pylist(rows)
    for column in {"ts", EVENT_TIMESTAMP} & set(found.schema.names):
        place = found.schema.get_field_index(column)
        found = found.set_column(place, column, found.column(column).cast(pa.timestamp("ms")))
    path = lake.within(table, partition)
    lake.files.create_dir(path, recursive=True)
    pq.write_table(found, f"{path}/{name}")


def test_the_lake_is_complete_up_to_its_newest_window(lake: Lake) -> None:
    """Of whatever view; without rows it is not known."""
    assert complete_ms(lake, ["talk", "seats"]) is None
    write(lake, "date=2025-10-09/hour=09", [{EVENT_TIMESTAMP: START_MS + 60_000}], "features/talk")
    write(lake, "date=2025-10-09/hour=10", [{EVENT_TIMESTAMP: START_MS + HOUR_MS}], "features/talk")
    write(lake, "date=2025-10-09/hour=09", [{EVENT_TIMESTAMP: START_MS + 120_000}], "features/seats")
    assert complete_ms(lake, ["talk", "seats"]) == START_MS + HOUR_MS
    assert complete_ms(lake, ["seats"]) == START_MS + 120_000


def test_entities_of_a_span_are_sampled(lake: Lake) -> None:
    """Events without a key are nobody's."""
    sample = EntitySample(["channel_id"], 10, 1)
    sample_entities(lake, BY_CHANNEL.join_keys, (START_MS, START_MS + 1_000), sample)
    assert sample.entities() == [("a",)]
    sample_entities(lake, BY_CHANNEL.join_keys, (START_MS, START_MS + HOUR_MS), sample)
    assert sorted(sample.entities()) == [("a",), ("b",)]


def test_events_are_those_of_entities_and_span(lake: Lake) -> None:
    """With the columns that the views read; a null `late` is not late."""
    span_ms = (START_MS + HOUR_MS, START_MS + HOUR_MS + 9_000)
    events, kept = events_of(lake, [BY_CHANNEL], [("a",), ("nobody",)], span_ms, 100)
    assert kept == [("a",), ("nobody",)]
    assert events["event_id"].tolist() == ["e10", "e13", "e16"]
    assert events["ts"].tolist() == [START_MS + HOUR_MS + second * 1_000 for second in (0, 3, 6)]
    assert events["late"].tolist() == [True, False, False]
    assert set(events) == {"channel_id", "event_id", "ts", "late", "toxic", "stage"}


def test_several_keys_belong_together(lake: Lake) -> None:
    """Not each value by itself."""
    span_ms = (START_MS, START_MS + HOUR_MS)
    events, _ = events_of(lake, [BY_SEAT], [(0, "a"), (1, "b")], span_ms, 100)
    assert sorted(zip(events["seat"], events["channel_id"], strict=True)) == [(0, "a"), (1, "b")]


def test_too_many_events_leave_the_last_entities_out(lake: Lake) -> None:
    """Four of each channel in an hour."""
    span_ms = (START_MS, START_MS + HOUR_MS)
    events, kept = events_of(lake, [BY_CHANNEL], [("b",), ("a",)], span_ms, 7)
    assert (kept, set(events["channel_id"]), len(events)) == ([("b",)], {"b"}, 4)
    events, kept = events_of(lake, [BY_CHANNEL], [("b",), ("a",)], span_ms, 3)
    assert (kept, len(events)) == ([], 0)


def test_no_events_have_their_columns_all_the_same(lake: Lake) -> None:
    """Of a span that has no hours, for no entities, and of a lake that has none at all."""
    for entities, begin_ms in ([("a",)], START_MS + 24 * HOUR_MS), ([], START_MS):
        events, _ = events_of(lake, [BY_CHANNEL], entities, (begin_ms, begin_ms + 1), 100)
        assert len(events) == 0
        assert {"channel_id", "ts", "late", "toxic", "stage"} <= set(events)
    empty = open_lake(LakeLocation(lake.within("nothing")))
    with pytest.raises(EchoPulseError) as caught:
        events_of(empty, [BY_CHANNEL], [("a",)], (0, 1), 100)
    assert str(caught.value) == f"{empty.within('events')} holds no events (`lake.path` names another lake)"


def test_a_column_that_the_lake_has_not_is_told(lake: Lake) -> None:
    """With the near miss."""
    odd = ViewSpec("odd", BY_CHANNEL.join_keys, (), (AggregationSpec("n", "sum", "toxi", 60_000, 60_000),))
    with pytest.raises(EchoPulseError) as caught:
        events_of(lake, [odd], [("a",)], (START_MS, START_MS + 1), 100)
    assert str(caught.value) == "lake table events has no column 'toxi' (did you mean 'toxic'?)"

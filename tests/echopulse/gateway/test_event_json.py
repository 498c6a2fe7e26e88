"""Events as JSON lines by columns, against orjson row by row."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway.event_json import json_lines, json_strings, line_bytes
from schemas.arrow import EVENT

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_MOMENT = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 made aware below
_Row = tuple[str, datetime, str, str, str, str, dict[str, str]]
_ROW = st.tuples(_TEXT, _MOMENT, _TEXT, _TEXT, _TEXT, _TEXT, st.dictionaries(_TEXT, _TEXT, max_size=3))


@given(st.lists(_TEXT))
def test_strings_are_what_orjson_reads_back(texts: list[str]) -> None:
    """Quotes, backslashes, control characters, any script."""
    assert [orjson.loads(text) for text in json_strings(pa.array(texts, pa.string())).to_pylist()] == texts


@given(st.lists(_ROW, max_size=8), st.integers(0, 3))
def test_lines_hold_the_events(
    rows: list[tuple[str, datetime, str, str, str, str, dict[str, str]]], skipped: int
) -> None:
    """Also of a slice, whose buffers begin elsewhere."""
    columns = list(zip(*rows, strict=True)) or [()] * 7
    moments = [moment.replace(microsecond=moment.microsecond // 1_000 * 1_000, tzinfo=UTC) for moment in columns[1]]
    values = [
        columns[0],
        moments,
        *columns[2:5],
        [raw.encode() for raw in columns[5]],
        [list(m.items()) for m in columns[6]],
    ]
    batch = pa.RecordBatch.from_arrays([pa.array(v, f.type) for v, f in zip(values, EVENT, strict=True)], schema=EVENT)

    written = bytes(line_bytes(json_lines(batch.slice(skipped))))

    found = [orjson.loads(line) for line in written.split(b"\n")[:-1]]
    assert (
        found
        == [
            {
                "id": row[0],
                "ts": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "source": row[2],
                "channel": row[3],
                "user": row[4],
                "raw": row[5],
                "meta": row[6],
            }
            for row, moment in zip(rows, moments, strict=True)
        ][skipped:]
    )

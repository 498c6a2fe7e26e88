"""Of each window the row written last, against a naive oracle."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from features.lake.standing_rows import standing_rows

#: Channel, seat, end of the window; a row's place is its value and when it was written.
_ROWS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 1), st.integers(0, 9)), max_size=30)
_SCHEMA = pa.schema(
    [
        ("channel_id", pa.string()),
        ("seat", pa.int64()),
        ("event_timestamp", pa.timestamp("ms")),
        ("n", pa.int64()),
        ("written_ms", pa.int64()),
    ]
)


@given(_ROWS)
def test_of_each_window_the_row_written_last_stands(rows: list[tuple[str, int, int]]) -> None:
    """In the order of keys and windows."""
    columns = list(zip(*((*row, place, place) for place, row in enumerate(rows)), strict=True)) or [()] * 5
    table = pa.table([list(column) for column in columns], names=_SCHEMA.names).cast(_SCHEMA)
    latest = {row: place for place, row in enumerate(rows)}
    expected = [(channel, seat, latest[channel, seat, end]) for channel, seat, end in sorted(latest)]
    found = standing_rows(table, ["channel_id", "seat"])
    assert list(zip(*(found.column(name).to_pylist() for name in ("channel_id", "seat", "n")), strict=True)) == expected

"""The past of features, against a naive oracle."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given
from hypothesis import strategies as st

from echopulse.feature_query.past import newest_for
from echopulse.feature_query.rows import row_schema
from tests.echopulse.feature_query.conftest import SEATS

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR_MS = 3_600_000
#: Channel, seat, end of the window in half hours; the row's place is its value and when it was written.
_ROWS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 1), st.integers(0, 40)), max_size=30)


def _table(rows: list[tuple[str, int, int]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    ends = [end * HOUR_MS // 2 for end in columns[2]]
    places = range(len(rows))
    return pa.table([columns[0], columns[1], places, ends, places], schema=None, names=_SCHEMA.names).cast(_SCHEMA)


_SCHEMA = row_schema(SEATS, SEATS.features)


@given(
    _ROWS, st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 1)), min_size=1, max_size=6), st.integers(0, 45)
)
def test_each_key_gets_its_newest_window_of_the_span(
    rows: list[tuple[str, int, int]], keys: list[tuple[object, ...]], end: int
) -> None:
    """In the order in which they are asked for, null where there is none; the whole span is looked through once."""
    table, asked = _table(rows), []

    def read(missing: Sequence[tuple[object, ...]], span_ms: tuple[int, int]) -> pa.Table:
        asked.append(span_ms)
        stamps = table.column("event_timestamp").cast(pa.int64())
        inside = pc.and_(pc.greater_equal(stamps, span_ms[0]), pc.less(stamps, span_ms[1]))
        wanted = pa.array([(row[0], row[1]) in missing for row in rows], pa.bool_())
        return table.filter(pc.and_(inside, wanted))

    span_ms = (5 * HOUR_MS, end * HOUR_MS // 2)
    found = newest_for(read, SEATS, SEATS.features, keys, span_ms)
    expected = []
    for key in keys:
        fitting = [(row[2], place) for place, row in enumerate(rows) if row[:2] == key and 10 <= row[2] < end]
        expected.append(max(fitting)[1] if fitting else None)
    assert found.column("n").to_pylist() == expected
    for later, earlier in itertools.pairwise(asked):
        assert earlier[1] == later[0]
    assert all(begin >= span_ms[0] and last <= span_ms[1] for begin, last in asked)

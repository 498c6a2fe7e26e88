"""Rows of features out of the past, wherever they lie: what a query needs of a lake, and the lake of the job."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from echopulse.job.lake import lake_table
from features.lake.standing_rows import WRITTEN
from features.machinery.view_spec import EVENT_TIMESTAMP
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow.dataset as ds

    from echopulse.settings_sections import Lake
    from features.machinery.view_spec import Column, ViewSchema

_ARROW = {"int64": pa.int64(), "float64": pa.float64(), "string": pa.string()}
_STAMP = pa.timestamp("ms")
_ATTEMPTS = 3


class FeatureRows(Protocol):
    """Where rows of features are read from."""

    def between(
        self,
        view: ViewSchema,
        features: Sequence[Column],
        keys: Sequence[tuple[object, ...]],
        span_ms: tuple[int, int],
        still_wanted: Callable[[int], None],
    ) -> pa.Table:
        """Return the rows of these keys whose window ends in [span_ms[0], span_ms[1]), ms UTC, in any order.

        Columns: join keys, features, `event_timestamp` (ms, without a zone, UTC), `written_ms`. A window may be there
        more than once. `still_wanted` is called with the number of rows so far, and raises to end a read that nobody
        waits for or that is too large.
        """


class LakeRows:
    """The rows that the job writes to `features/VIEW`; files that are still being written are hidden and left out."""

    def __init__(self, lake: Lake) -> None:
        """Keep where the lake is."""
        self._lake = lake

    def between(
        self,
        view: ViewSchema,
        features: Sequence[Column],
        keys: Sequence[tuple[object, ...]],
        span_ms: tuple[int, int],
        still_wanted: Callable[[int], None],
    ) -> pa.Table:
        """Return rows as FeatureRows has it; only the days that matter are opened. Raises EchoPulseError."""
        schema = row_schema(view, features)
        name = f"features/{view.name}"
        for _ in range(_ATTEMPTS):
            still_wanted(0)
            found = lake_table(self._lake, name)
            if found is None:
                return schema.empty_table()
            try:
                return _read(
                    found.scanner(columns=schema.names, filter=_filter(view, keys, span_ms)), schema, still_wanted
                )
            except FileNotFoundError:
                continue  # small files were merged between the look and the read
            except (OSError, pa.ArrowInvalid) as error:
                reason = str(error).splitlines()[0]
                raise EchoPulseError(f"lake {self._lake.path}: cannot read {name}: {reason}") from error
        raise EchoPulseError(f"lake {self._lake.path}: {name} was rewritten during each of {_ATTEMPTS} reads")


def _read(scanner: ds.Scanner, schema: pa.Schema, still_wanted: Callable[[int], None]) -> pa.Table:
    batches, rows = [], 0
    for batch in scanner.to_batches():
        rows += batch.num_rows
        still_wanted(rows)
        if batch.num_rows:
            batches.append(batch)
    return pa.Table.from_batches(batches).cast(schema) if batches else schema.empty_table()


def row_schema(view: ViewSchema, features: Sequence[Column]) -> pa.Schema:
    """Return the columns of rows: join keys, features, the end of the window, when it was written."""
    typed = [(column.name, _ARROW[column.type]) for column in (*view.join_keys, *features)]
    return pa.schema([*typed, (EVENT_TIMESTAMP, _STAMP), (WRITTEN, pa.int64())])


def _filter(view: ViewSchema, keys: Sequence[tuple[object, ...]], span_ms: tuple[int, int]) -> pc.Expression:
    begin, end = span_ms
    stamp, day = pc.field(EVENT_TIMESTAMP), pc.field("date")
    wanted = (stamp >= pa.scalar(begin, _STAMP)) & (stamp < pa.scalar(end, _STAMP))
    wanted &= (day >= _day(begin)) & (day <= _day(end))
    # Each key column by itself: with several, a few rows too many are read, and those are left out afterwards.
    for column, values in zip(view.join_keys, zip(*keys, strict=True), strict=True):
        wanted &= pc.field(column.name).isin(pa.array(set(values), _ARROW[column.type]))
    return wanted


def _day(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d")

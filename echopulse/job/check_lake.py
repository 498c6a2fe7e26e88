"""What a check of consistency reads of the lake: how far it is complete, whom it knows, and their events."""

from __future__ import annotations

import ast
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from features.lake.compaction import partition_start
from features.lake.listing import newest_files
from features.lake.location import VanishedError
from features.lake.table import dataset
from features.machinery.expression import parse
from features.machinery.view_spec import EVENT_TIMESTAMP
from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from features.lake.location import Lake
    from features.machinery.entity_sample import EntitySample
    from features.machinery.view_spec import Column, ViewSpec

T = TypeVar("T")
EVENTS = "events"
#: Files of a view's newest hour that are looked into for the newest window: more than one checkpoint leaves.
_FILES = 32
_ATTEMPTS = 5
_STAMP = pa.timestamp("ms")
_HOUR = timedelta(hours=1)
_ARROW = {"int64": pa.int64(), "string": pa.string()}


def complete_ms(lake: Lake, views: Sequence[str]) -> int | None:
    """Return an instant, ms UTC, before which the lake holds all events; None where it has no rows of any view.

    It is the end of the newest window that it has a row of, of whatever view. The checkpoint that committed the row
    came after the watermark that closed the window, on every way through the job: it committed all events before that
    end too, and the rows of every window that ends by then were online.
    """
    ends = [end for view in views if (end := retried(lake, partial(_newest_end, lake, view))) is not None]
    return max(ends, default=None)


def _newest_end(lake: Lake, view: str) -> int | None:
    files = newest_files(lake, f"features/{view}", _FILES)
    if not files:
        return None
    with lake.told(files[0].path):
        rows = ds.dataset([file.path for file in files], format="parquet", filesystem=lake.files)
        ends = rows.to_table(columns=[EVENT_TIMESTAMP]).column(EVENT_TIMESTAMP)
    newest = pc.max(ends.cast(_STAMP).cast(pa.int64())).as_py()
    return None if newest is None else int(newest)


def sample_entities(lake: Lake, keys: Sequence[Column], span_ms: tuple[int, int], sample: EntitySample) -> None:
    """Add to a sample the entities that events of a span of time name: [from, to), ms UTC."""
    names = [column.name for column in keys]

    def read() -> None:
        for batch in _batches(lake, names, _within(span_ms), span_ms):
            frame = batch.to_pandas()
            sample.add(frame[(frame != "").all(axis=1) & frame.notna().all(axis=1)])

    retried(lake, read)


def events_of(
    lake: Lake,
    views: Sequence[ViewSpec],
    entities: Sequence[tuple[object, ...]],
    span_ms: tuple[int, int],
    most: int,
) -> tuple[pd.DataFrame, list[tuple[object, ...]]]:
    """Return the events of a span that name the entities, as the oracle wants them, with the column `late`.

    The views share their keys. Where there are more than `most` events, the last half of the entities is given up, over
    and over; those that remain are returned too. Raises EchoPulseError naming a column that the lake has not.
    """
    keys = views[0].join_keys
    names = [column.name for column in keys]
    columns = list(dict.fromkeys((*names, "event_id", "ts", "late", *(name for view in views for name in _used(view)))))

    def read() -> tuple[pd.DataFrame, list[tuple[object, ...]]]:
        kept, found, rows = list(entities), [], 0
        for batch in _batches(lake, columns, _within(span_ms) & _named(keys, kept), span_ms):
            found.append(_of(_frame(batch), names, kept))
            rows += len(found[-1])
            while rows > most:
                kept = kept[: len(kept) // 2]
                found = [_of(frame, names, kept) for frame in found]
                rows = sum(len(frame) for frame in found)
        events = pd.concat(found, ignore_index=True) if found else _frame(_nothing(lake, columns))
        return events.assign(stage=""), kept

    return retried(lake, read)


def _used(view: ViewSpec) -> Iterator[str]:
    """Yield the columns that a view reads, beside its keys."""
    yield from (spec.column for spec in view.aggregations)
    if view.filter:
        yield from (node.id for node in ast.walk(parse(view.filter)) if isinstance(node, ast.Name))


def _within(span_ms: tuple[int, int]) -> pc.Expression:
    begin, end = (pa.scalar(moment, _STAMP) for moment in span_ms)
    return (pc.field("ts") >= begin) & (pc.field("ts") < end)


def _named(keys: Sequence[Column], entities: Sequence[tuple[object, ...]]) -> pc.Expression:
    """Return where each key column has a value of some entity; with several, a few rows too many."""
    columns = zip(*entities, strict=True) if entities else [()] * len(keys)
    wanted = pc.scalar(True)  # noqa: FBT003 a value, no flag
    for column, values in zip(keys, columns, strict=True):
        wanted &= pc.field(column.name).isin(pa.array(set(values), _ARROW[column.type]))
    return wanted


def _batches(
    lake: Lake, columns: Sequence[str], where: pc.Expression, span_ms: tuple[int, int]
) -> Iterator[pa.RecordBatch]:
    """Yield the events of a span by parts; only its hours are opened."""
    found = dataset(lake, EVENTS, hours_of(span_ms))
    if found is None:
        return
    if unknown := [name for name in columns if name not in found.schema.names]:
        raise EchoPulseError(
            f"lake table {EVENTS} has no column '{unknown[0]}'", did_you_mean(unknown[0], found.schema.names)
        )
    with lake.told(lake.within(EVENTS)):
        yield from found.scanner(columns=list(columns), filter=where).to_batches()


def hours_of(span_ms: tuple[int, int]) -> Callable[[str], bool]:
    """Return what tells whether a partition's hour has a part in the span."""
    begin, end = (datetime.fromtimestamp(moment / 1_000, UTC) for moment in span_ms)

    def wanted(partition: str) -> bool:
        start = partition_start(partition)
        return start is not None and start < end and start + _HOUR > begin

    return wanted


def _frame(batch: pa.RecordBatch) -> pd.DataFrame:
    """Return events as the oracle wants them: times in ms since the epoch."""
    times = batch.column("ts").cast(_STAMP).cast(pa.int64()).to_numpy(zero_copy_only=False)
    late = pc.fill_null(batch.column("late"), False).to_numpy(zero_copy_only=False)  # noqa: FBT003 a value, no flag
    frame: pd.DataFrame = batch.to_pandas()
    return frame.assign(ts=times, late=late)


def _of(frame: pd.DataFrame, names: list[str], entities: list[tuple[object, ...]]) -> pd.DataFrame:
    """Return the events of these entities alone."""
    if not entities:
        return frame.iloc[:0]
    return frame[pd.MultiIndex.from_frame(frame[names]).isin(pd.MultiIndex.from_tuples(entities, names=names))]


def _nothing(lake: Lake, columns: Sequence[str]) -> pa.RecordBatch:
    """Return no events, with the types that the lake has."""
    found = dataset(lake, EVENTS)
    if found is None:
        raise EchoPulseError(f"{lake.named(lake.within(EVENTS))} holds no events", "`lake.path` names another lake")
    schema = pa.schema([found.schema.field(name) for name in columns])
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def retried(lake: Lake, read: Callable[[], T]) -> T:
    """Read anew what was compacted meanwhile."""
    for _ in range(_ATTEMPTS):
        try:
            return read()
        except VanishedError:
            continue
    raise EchoPulseError(f"{lake.named(lake.root)} was rewritten during each of {_ATTEMPTS} reads", "try again later")

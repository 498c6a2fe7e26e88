"""Events of the lake as Beam reads them: batches of Arrow, with the scores of their day or analysed anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq

from features.lake.location import open_lake
from features.machinery.arrow_groups import whole, with_columns
from schemas.arrow import EXCHANGED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from features.lake.location import LakeLocation
    from transforms.selection import Selection

#: What the lake does not record, because only events that were analysed are in it.
_UNRECORDED = ("stage", "reason")
_RESULT = "result"
#: What views read of an analysed event; the result as a whole is for others.
ROWS = pa.schema([*(field for field in EXCHANGED if field.name != _RESULT), pa.field("ts", pa.int64())])
#: What they are analysed anew from.
ORIGINAL = pa.schema([pa.field("event", pa.binary()), pa.field("ts", pa.int64())])


class ReadEvents(beam.DoFn):  # type: ignore[misc] # Beam's classes are untyped
    """Paths of the lake's files in, batches of their events of a span out: ROWS, or times and original events."""

    def __init__(self, lake: LakeLocation, first_ms: int, until_ms: int, batch_rows: int, *, original: bool) -> None:
        """Keep where the files lie, and the span in ms since the epoch: from the one, before the other."""
        self._location, self._batch_rows = lake, batch_rows
        self._first_ms, self._until_ms = first_ms, until_ms
        self._schema = ORIGINAL if original else ROWS

    def setup(self) -> None:
        """Open the lake, once a worker."""
        self._lake = open_lake(self._location)

    def process(self, path: str) -> Iterator[pa.Table]:
        """Yield a file's events. Raises EchoPulseError naming a file that cannot be read."""
        wanted, lake = {*self._schema.names} - {*_UNRECORDED}, self._lake
        with lake.told(path), lake.files.open_input_file(path) as opened, pq.ParquetFile(opened) as parquet:
            columns = [name for name in parquet.schema_arrow.names if name in wanted]
            for batch in parquet.iter_batches(self._batch_rows, columns=columns):
                times = batch.column("ts").cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
                inside = (times.to_numpy() >= self._first_ms) & (times.to_numpy() < self._until_ms)
                if inside.any():
                    yield _rows(batch, times, self._schema).filter(pa.array(inside)).combine_chunks()


class ScoreEvents(beam.DoFn):  # type: ignore[misc] # as above
    """Batches of events in, the same analysed anew out; what cannot be analysed has its stage and counts nowhere."""

    def __init__(self, selection: Selection) -> None:
        """Keep what the worker opens its strategies by."""
        self._selection = selection

    def setup(self) -> None:
        """Load the models, once a worker."""
        from transforms.analysis import Analyser

        self._analyser = Analyser.of(self._selection)
        self._analyser.open()

    def teardown(self) -> None:
        """Let the strategies hang up."""
        self._analyser.close()

    def process(self, events: pa.Table) -> Iterator[pa.Table]:
        """Yield a batch's rows."""
        times = whole(events.column("ts"))
        rows = pa.Table.from_batches([self._analyser.analyse(whole(events.column("event")), times)])
        yield with_columns(rows.select(ROWS.names[:-1]), {"ts": times})


def _rows(batch: pa.RecordBatch, times: pa.Array, schema: pa.Schema) -> pa.Table:
    """Return a file's columns in their types, nulls where it has none, as one that is older has."""
    found = {name: batch.column(name) for name in batch.schema.names} | {"ts": times}
    found |= {name: pa.repeat("", len(batch)) for name in _UNRECORDED}
    columns = [
        found[field.name].cast(field.type) if field.name in found else pa.nulls(len(batch), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)

"""Replace files of a partition by one, so that a reader sees each row once whenever it looks and whatever crashes.

1. The new file is written under a name that readers pass over, and lists in its footer the files it stands for.
2. It gets its own name in one step: from here on readers read it and leave out those it stands for.
3. The table's version is written anew, so that a listing which began before is taken again.
4. The files it stands for are deleted.
What a crash leaves behind, a file without a name or files that are stood for, the next rewriting removes first.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from features.lake.listing import REPLACES, REWRITTEN, VERSION
from features.lake.location import VanishedError
from features.lake.table import unified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from features.lake.lease import Lease
    from features.lake.listing import Footer, LakeFile, Listing
    from features.lake.location import Lake

_BATCH_ROWS = 65_536
_GROUP_ROWS = 1_000_000


def sweep(lake: Lake, table: str, found: Listing, lease: Lease) -> int:
    """Remove what a rewriting that ended early left behind; return how many files that were."""
    left = [*found.replaced, *found.unfinished]
    remove(lake, table, left, lease)
    return len(left)


def remove(lake: Lake, table: str, files: Sequence[LakeFile], lease: Lease) -> None:
    """Delete files in this order; a listing that is taken meanwhile is taken again."""
    if files:
        lease.renew()
        _new_version(lake, table)
    for file in files:
        _delete(lake, file.path)


def replace(
    lake: Lake,
    table: str,
    old: Sequence[Footer],
    lease: Lease,
    keep: Callable[[pa.RecordBatch], pa.RecordBatch] = lambda batch: batch,
) -> int:
    """Replace files of one partition by one with the rows that `keep` keeps; return how many rows it has.

    The table must have been swept. Raises EchoPulseError naming a file that cannot be read, or where the lease is lost.
    """
    schema = unified(table, old)
    rows = (keep(batch) for footer in old for batch in read_batches(lake, footer, schema))
    return stand_for(lake, table, old[0].file.partition, old, rows, schema, lease)


def stand_for(
    lake: Lake,
    table: str,
    partition: str,
    old: Sequence[Footer],
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    lease: Lease,
) -> int:
    """Write a file of `batches` that stands for the files `old` of a partition, which may be none; return its rows.

    The table must have been swept. Raises EchoPulseError where a file cannot be written or the lease is lost.
    """
    names = sorted(footer.file.name for footer in old)
    name = f"{REWRITTEN}{hashlib.sha256(chr(0).join(names).encode()).hexdigest()[:16]}.parquet"
    hidden = lake.within(table, partition, f".{name}")
    schema = schema.with_metadata({REPLACES: json.dumps(names)})
    lease.renew()
    if not old and not lake.location.on_s3:
        Path(lake.within(table, partition)).mkdir(parents=True, exist_ok=True)
    rows = 0
    with (
        lake.told(hidden),
        lake.files.open_output_stream(hidden) as stream,
        pq.ParquetWriter(
            stream, schema, compression="snappy", use_deprecated_int96_timestamps=_as_the_job(schema)
        ) as writer,
    ):
        for batch in _grouped(iter(batches)):
            writer.write_table(batch.cast(schema), _GROUP_ROWS)
            rows += batch.num_rows
    _to_disk(lake, hidden)
    lease.renew()
    final = lake.within(table, partition, name)
    with lake.told(hidden):
        lake.files.move(hidden, final)
    _to_disk(lake, final)
    remove(lake, table, [footer.file for footer in old], lease)
    if not rows:
        _delete(lake, final)
    return rows


def _as_the_job(schema: pa.Schema) -> bool:
    """Return whether times go as INT96, as the job writes them, so that a rewritten file is like the others to all."""
    times = [field.type for field in schema if pa.types.is_timestamp(field.type)]
    return all(kind.unit == "ns" and kind.tz is None for kind in times)


def read_batches(lake: Lake, footer: Footer, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Read a file in the columns of all, those it lacks null."""
    path = footer.file.path
    with lake.told(path), lake.files.open_input_file(path) as opened, pq.ParquetFile(opened) as parquet:
        for batch in parquet.iter_batches(_BATCH_ROWS):
            columns = [
                batch.column(field.name) if field.name in batch.schema.names else pa.nulls(len(batch), field.type)
                for field in schema
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _grouped(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Put batches together until they are a row group."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(len(each) for each in waiting) >= _GROUP_ROWS:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)


def _new_version(lake: Lake, table: str) -> None:
    path = lake.within(table, VERSION)
    with lake.told(path), lake.files.open_output_stream(path) as stream:
        stream.write(uuid.uuid4().hex.encode())


def _delete(lake: Lake, path: str) -> None:
    try:
        with lake.told(path):
            lake.files.delete_file(path)
    except VanishedError:
        return  # what is to be gone is gone


def _to_disk(lake: Lake, path: str) -> None:
    """Have a folder's file written through, and its name with it, before anything that it stands for is deleted."""
    if lake.location.on_s3:
        return  # an acknowledged object is stored
    for each in (path, os.path.dirname(path)):  # noqa: PTH120 a path of the file system's, as all here
        with lake.told(path):
            descriptor = os.open(each, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

"""The rows of a view in the lake that a Feast source names, as they stand."""

from __future__ import annotations

import os
from datetime import UTC
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from feast import FileSource

from features.lake.location import Lake, LakeLocation, open_lake
from features.lake.standing_rows import WRITTEN, standing_rows
from features.lake.table import PARTITION_COLUMNS, read_table
from features.machinery.view_spec import EVENT_TIMESTAMP
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from feast.data_source import DataSource

_FOLDER = "/features/"
#: Feast knows no settings of ours, so S3's keys come from where its own clients look for them.
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def all_rows(source: DataSource, keys: Sequence[str]) -> pa.Table:
    """Return all standing rows of a view. Raises EchoPulseError where there are none, or the lake does not answer."""
    lake, name = _table(source)
    rows = read_table(lake, name)
    if rows is None:
        raise EchoPulseError(f"{lake.named(lake.within(name))} has no rows yet")
    return standing_rows(rows.drop_columns([*{*PARTITION_COLUMNS.names} & {*rows.column_names}]), keys)


def rows_between(
    source: DataSource, types: Mapping[str, pa.DataType], keys: Sequence[str], begin: datetime | None, end: datetime
) -> pa.Table:
    """Return the standing rows of a view whose windows end in [begin, end]; times in ms, UTC.

    A column of `types` that no file has is null. Raises EchoPulseError where the lake does not answer.
    """
    lake, name = _table(source)
    time = pc.field(EVENT_TIMESTAMP)
    where = (time <= _instant(end)) & (pc.field("date") <= _day(end))
    if begin is not None:
        where &= (time >= _instant(begin)) & (pc.field("date") >= _day(begin))
    schema = pa.schema([*types.items(), (EVENT_TIMESTAMP, pa.timestamp("ms")), (WRITTEN, pa.int64())])
    # A feature that was added after the last row has no column yet.
    rows = read_table(lake, name, lambda there: [column for column in schema.names if column in there.names], where)
    if rows is None:
        rows = schema.empty_table()
    for field in schema:
        if field.name not in rows.schema.names:
            rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
    rows = standing_rows(rows.select(schema.names).cast(schema), keys)
    return rows.set_column(len(types), EVENT_TIMESTAMP, rows.column(EVENT_TIMESTAMP).cast(pa.timestamp("ms", "UTC")))


def _table(source: DataSource) -> tuple[Lake, str]:
    """Open the lake that a source's path lies in, by the variables that S3's own clients read."""
    path = source.path.rstrip("/") if isinstance(source, FileSource) else ""
    root, folder, view = path.rpartition(_FOLDER)
    if not isinstance(source, FileSource) or not folder:
        raise EchoPulseError(f"source '{source.name}' is no table of the lake, a FileSource at LAKE{_FOLDER}VIEW")
    place = LakeLocation(
        path=root,
        endpoint=source.s3_endpoint_override or "",
        access_key=os.environ.get(_KEYS[0], ""),
        secret_key=os.environ.get(_KEYS[1], ""),
        region=os.environ.get("AWS_REGION", "us-east-1"),
        keys_from=f"{' and '.join(_KEYS)} in the environment of the process that asks Feast",
    )
    missing = [key for key in _KEYS if place.on_s3 and not os.environ.get(key)]
    if missing:
        raise EchoPulseError(
            f"lake {root}: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set, "
            f"by which Feast reads '{source.name}'",
            "export what lake.access_key and lake.secret_key of the settings are; see docs/training-sets.md",
        )
    return open_lake(place), f"{_FOLDER.strip('/')}/{view}"


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d")


def _instant(moment: datetime) -> pa.Scalar:
    return pa.scalar(moment.astimezone(UTC).replace(tzinfo=None), pa.timestamp("us"))

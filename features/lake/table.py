"""Read a table of the lake: all its files under one schema, in which a column that came later reads as null."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.dataset as ds

from features.lake.listing import listing
from features.lake.location import VanishedError
from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow.compute as pc

    from features.lake.listing import Footer, Listing
    from features.lake.location import Lake

#: Partition folders are text, as the job writes them: date=2026-01-31/hour=07.
PARTITION_COLUMNS = pa.schema([("date", pa.string()), ("hour", pa.string())])
_PARTITIONING = ds.partitioning(PARTITION_COLUMNS, flavor="hive")
_ATTEMPTS = 5


def dataset(lake: Lake, table: str, wanted: Callable[[str], bool] | None = None) -> ds.Dataset | None:
    """Return a table as it is now, None where it has no rows' files yet; scanned after a compaction, it fails.

    With `wanted` it is made of those partitions alone (`date=2026-01-31/hour=07`), and no others are opened.
    Raises EchoPulseError naming a file that is no whole Parquet file, or a column whose type differs between files.
    """
    for _ in range(_ATTEMPTS):
        try:
            return _dataset(lake, table, listing(lake, table, wanted))
        except VanishedError:
            continue  # merged with others since the listing
    raise _rewritten(table)


def read_table(
    lake: Lake,
    table: str,
    columns: Sequence[str] | Callable[[pa.Schema], Sequence[str]] | None = None,
    where: pc.Expression | None = None,
) -> pa.Table | None:
    """Read a table, or its `columns` and the rows `where` an expression holds; None where it has no files yet.

    `columns` are names, or a function that chooses them from those there are. What is compacted meanwhile is read anew.
    Raises EchoPulseError as `dataset` does, and for an unknown column.
    """
    for _ in range(_ATTEMPTS):
        found = dataset(lake, table)
        if found is None:
            return None
        names = columns(found.schema) if callable(columns) else columns
        unknown = [name for name in names or () if name not in found.schema.names]
        if unknown:
            raise EchoPulseError(
                f"lake table {table} has no column '{unknown[0]}'", did_you_mean(unknown[0], found.schema.names)
            )
        try:
            with lake.told(lake.within(table)):
                return found.to_table(columns=None if names is None else list(names), filter=where)
        except VanishedError:
            continue
        except EchoPulseError:
            _name_the_damaged(lake, found)
            raise
    raise _rewritten(table)


def _rewritten(table: str) -> EchoPulseError:
    return EchoPulseError(f"lake table {table} was rewritten during each of {_ATTEMPTS} reads", "try again later")


def unified(table: str, footers: Sequence[Footer]) -> pa.Schema:
    """Return the columns of all files, in the order of first appearance.

    Raises EchoPulseError that names a column of two types, and a file of each.
    """
    seen: dict[str, tuple[pa.DataType, str]] = {}
    for footer in footers:
        where = "/".join(part for part in (footer.file.partition, footer.file.name) if part)
        for field in footer.schema:
            known, first = seen.setdefault(field.name, (field.type, where))
            if known != field.type:
                raise EchoPulseError(
                    f"lake table {table}: column '{field.name}' is {known} in {first} and {field.type} in {where}",
                    "a column keeps its type: give the changed one a name of its own",
                )
    return pa.schema([(name, kind) for name, (kind, _) in seen.items()])


def _dataset(lake: Lake, table: str, found: Listing) -> ds.Dataset | None:
    if not found.live:
        return None
    columns = unified(table, found.live)
    partitions = [field for field in PARTITION_COLUMNS if columns.get_field_index(field.name) < 0]
    with lake.told(lake.within(table)):
        return ds.dataset(
            [footer.file.path for footer in found.live],
            schema=pa.schema([*columns, *partitions]),
            format="parquet",
            filesystem=lake.files,
            partitioning=_PARTITIONING,
        )


def _name_the_damaged(lake: Lake, found: ds.Dataset) -> None:
    """Raise EchoPulseError naming the first file that cannot be read to its end; a scan does not say which it was."""
    for fragment in found.get_fragments():
        with lake.told(fragment.path):
            fragment.scanner(schema=found.schema).count_rows()
            for _ in fragment.to_batches(schema=found.schema):
                pass

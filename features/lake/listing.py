"""Which files make a table of the lake at one moment, whatever is being written or compacted meanwhile.

A file that was compacted says in its own footer which files of its partition it stands for; those are left out from
the moment the new one is there, and deleted afterwards. A listing takes time: whoever deletes writes a new `_version`
into the table first, and a listing during which the version changed is taken again. So a listing that counts holds
each row once: before it began, a new file was there already, or none of the old ones is deleted before it ended.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.fs as pafs
import pyarrow.parquet as pq

from features.lake.location import VanishedError
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from features.lake.location import Lake

#: Of the names that a rewritten file has; no sink begins a name so.
REWRITTEN = "whole-"
#: The key of a footer's metadata under which a rewritten file lists the names that it stands for, as JSON.
REPLACES = b"echopulse.replaces"
VERSION = "_version"
#: Names that begin so are nobody's to read: files in the making, and what keeps the lake in order.
_HIDDEN = (".", "_")
_LISTINGS = 10
_READERS = 16


@dataclass(frozen=True)
class LakeFile:
    """A file of a table: path in the file system, partition (`date=…/hour=…`), name, bytes, s since the epoch."""

    path: str
    partition: str
    name: str
    size: int
    modified_s: float


@dataclass(frozen=True)
class Footer:
    """What a file says of itself: its columns, its rows and the names that it stands for."""

    file: LakeFile
    schema: pa.Schema
    rows: int
    replaces: frozenset[str]


@dataclass(frozen=True)
class Listing:
    """A table at one moment: what is to be read, what something stands for already, and what was never finished."""

    live: tuple[Footer, ...]
    replaced: tuple[LakeFile, ...]
    unfinished: tuple[LakeFile, ...]


def tables(lake: Lake) -> list[str]:
    """Name the tables of a lake: folders that hold partitions, or files, at its root or one level below."""
    found: list[str] = []
    for name in _folders(lake, ""):
        inner = _folders(lake, name)
        if not inner or any("=" in folder for folder in inner):
            found.append(name)
        else:
            found += [f"{name}/{folder}" for folder in inner]
    return sorted(found)


def listing(lake: Lake, table: str, wanted: Callable[[str], bool] | None = None) -> Listing:
    """List a table, or its partitions that are `wanted`: of the others no file is opened.

    Raises EchoPulseError naming a file whose footer cannot be read, or a lake that does not answer.
    """
    for _ in range(_LISTINGS):
        version = read_version(lake, table)
        files = [file for file in _all_files(lake, table) if wanted is None or wanted(file.partition)]
        visible = [file for file in files if not file.name.startswith(_HIDDEN)]
        unfinished = [file for file in files if file.name.startswith(f".{REWRITTEN}")]
        try:
            footers = _footers(lake, visible)
        except VanishedError:
            continue  # it was replaced since: the next listing holds what stands for it
        if read_version(lake, table) == version:
            return _sorted_out(footers, unfinished)
    raise EchoPulseError(
        f"{lake.named(lake.within(table))} changed during each of {_LISTINGS} listings", "try again when it is idle"
    )


def newest_files(lake: Lake, table: str, count: int) -> list[LakeFile]:
    """Return the files of a table's newest partition that were written last, at most `count`; none are opened."""
    files = [file for file in _all_files(lake, table) if not file.name.startswith(_HIDDEN)]
    newest = max((file.partition for file in files), default="")
    inside = [file for file in files if file.partition == newest]
    return sorted(inside, key=lambda file: file.modified_s, reverse=True)[:count]


def read_version(lake: Lake, table: str) -> bytes:
    """Return the table's version, empty where nothing was ever deleted from it."""
    path = lake.within(table, VERSION)
    try:
        with lake.told(path), lake.files.open_input_stream(path) as stream:
            return bytes(stream.read())
    except VanishedError:
        return b""


def read_footer(lake: Lake, file: LakeFile) -> Footer:
    """Read a file's footer. Raises EchoPulseError naming the file where it is none, VanishedError where it is gone."""
    with lake.told(file.path), lake.files.open_input_file(file.path) as opened, pq.ParquetFile(opened) as parquet:
        metadata = parquet.metadata.metadata or {}
        replaces = frozenset(json.loads(metadata[REPLACES])) if REPLACES in metadata else frozenset()
        return Footer(file, parquet.schema_arrow.remove_metadata(), parquet.metadata.num_rows, replaces)


def _sorted_out(footers: Sequence[Footer], unfinished: Sequence[LakeFile]) -> Listing:
    gone = {(footer.file.partition, name) for footer in footers for name in footer.replaces}
    live = [footer for footer in footers if (footer.file.partition, footer.file.name) not in gone]
    replaced = [footer.file for footer in footers if (footer.file.partition, footer.file.name) in gone]
    return Listing(tuple(live), tuple(replaced), tuple(unfinished))


def _footers(lake: Lake, files: Sequence[LakeFile]) -> list[Footer]:
    """Read all footers, some at a time; in the order of partition and name."""
    ordered = sorted(files, key=lambda file: (file.partition, file.name))
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(lambda file: read_footer(lake, file), ordered))


def _all_files(lake: Lake, table: str) -> list[LakeFile]:
    folder = lake.within(table)
    with lake.told(folder):
        infos = lake.files.get_file_info(pafs.FileSelector(folder, allow_not_found=True, recursive=True))
    found = []
    for info in infos:
        inside = info.path.removeprefix(folder).lstrip("/")
        partition, _, name = inside.rpartition("/")
        hidden = any(part.startswith(_HIDDEN) for part in partition.split("/"))
        if info.type == pafs.FileType.File and not hidden:
            modified = info.mtime.timestamp() if info.mtime else 0.0
            found.append(LakeFile(info.path, partition, name, info.size, modified))
    return found


def _folders(lake: Lake, name: str) -> list[str]:
    folder = lake.within(name)
    with lake.told(folder):
        infos = lake.files.get_file_info(pafs.FileSelector(folder, allow_not_found=True))
    return [
        info.base_name
        for info in infos
        if info.type == pafs.FileType.Directory and not info.base_name.startswith(_HIDDEN)
    ]

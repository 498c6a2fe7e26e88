"""Erase one user everywhere that EchoPulse keeps rows of them: online store, lake and labelled files."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from echopulse.job.configuration import online_store
from echopulse.job.lake import opened
from features.lake.erasure import USER, Person, begin, end, erase
from features.lake.labelled import files_with, rewrite
from features.lake.lease import held
from features.lake.listing import tables
from features.lake.table import read_table
from features.machinery.online_erasure import delete_entities
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from echopulse.settings import Settings
    from features.lake.location import Lake
    from features.machinery.view_spec import CompiledView, ViewSchema

#: The key of the hashes in the records, kept apart from the lake.
KEY_FILE = "erasure.key"
_KEY_BYTES = 32
#: A file is safe to delete once so many checkpoints have been made since it was written.
_CHECKPOINTS = 10


@dataclass(frozen=True)
class Forgotten:
    """What was erased: rows and files of the lake by table, keys of the online store, rows of labelled files."""

    record: str
    rows: Mapping[str, int]
    files: int
    online_keys: int
    labelled: Mapping[str, int]


def settle_s(settings: Settings) -> float:
    """Return the age in s from which on a restart of the job no longer looks for a file of the lake."""
    return _CHECKPOINTS * settings.flink.checkpoint_interval_ms / 1_000


def forget(
    settings: Settings,
    views: Sequence[CompiledView],
    user: str,
    channel: str | None,
    data: Path | None,
    on_step: Callable[[str], None],
) -> Forgotten:
    """Erase a user, in one channel where that is given; feature rows of the user go either way.

    Run again, it erases what has come since and goes on with what was cut short. Raises EchoPulseError where lake or
    online store do not answer, a file cannot be read, or another process is rewriting the lake.
    """
    lake = opened(settings.lake)
    person = Person(user, channel, _key(settings.home))
    # From the lake, before it is rewritten: of a view with other keys beside the user's, it alone knows their values.
    entities = list(_entities(lake, [view.schema for view in views], user))
    labelled = files_with(data, person) if data else {}
    with held(lake, "feature forget") as lease:
        record = begin(lake, person, {digest: path.name for digest, path in labelled.items()})
        on_step("online store")
        online_keys = delete_entities(online_store(settings), entities)
        record = erase(lake, person, record, lease, settle_s(settings), on_step)
        rows = {path.name: rewrite(path, person) for path in labelled.values()}
        record = end(lake, record)
    return Forgotten(
        record=record.place if record.ended else "",
        rows=record.rows,
        files=len(record.files),
        online_keys=online_keys,
        labelled=rows,
    )


def _entities(
    lake: Lake, views: Sequence[ViewSchema], user: str
) -> Iterator[tuple[ViewSchema, Mapping[str, Sequence[object]]]]:
    """Yield, for each view that is about users, the values of its keys under which the user may be online."""
    known = tables(lake)
    for view in views:
        keys = [column.name for column in view.join_keys]
        if USER not in keys:
            continue
        if keys == [USER]:
            yield view, {USER: [user]}
        elif (table := f"features/{view.name}") in known:
            rows = read_table(lake, table, keys, pc.field(USER) == user)
            if rows is not None and rows.num_rows:
                yield view, rows.group_by(keys).aggregate([]).to_pydict()


def _key(home: Path) -> bytes:
    """Return the key of the hashes, made when it is first needed. Raises EchoPulseError where it is damaged."""
    path = home / KEY_FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not path.is_file():
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(_KEY_BYTES), encoding="ascii")
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise EchoPulseError(f"{path}: not a key in hex: {error}", "restore it, or move it away") from error
    if len(key) != _KEY_BYTES:
        raise EchoPulseError(f"{path}: {len(key)} bytes instead of {_KEY_BYTES}", "restore it, or move it away")
    return key

"""What a backfill has done so far, kept in the lake that it writes to, so that it can go on where it was cut short."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import pyarrow.fs as pafs

from features.lake.location import VanishedError
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from features.lake.location import Lake

#: Records, and folders of rows that are not published yet; readers pass over a name that begins so.
FOLDER = "_backfill"


@dataclass(frozen=True)
class DayDone:
    """A day that is done: events read, rows by view, rows of the stream they replaced, rows written online, seconds."""

    day: str
    events: int
    rows: dict[str, int]
    replaced: int
    online: int
    seconds: float


@dataclass
class Record:
    """A backfill by its id, its span, and the days that are done."""

    id: str
    after: str
    until: str
    days: dict[str, DayDone] = field(default_factory=dict)
    finished: bool = False


def load(lake: Lake, id_: str) -> Record | None:
    """Return a record, None where there is none yet. Raises EchoPulseError where it cannot be read."""
    path = lake.within(FOLDER, f"{id_}.json")
    try:
        with lake.told(path), lake.files.open_input_stream(path) as stream:
            document = json.loads(stream.read())
        return Record(**document | {"days": {name: DayDone(**day) for name, day in document["days"].items()}})
    except VanishedError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise EchoPulseError(f"{lake.named(path)} is no record of a backfill: {error}", "remove it") from error


def save(lake: Lake, record: Record) -> None:
    """Write a record, whole or not at all."""
    lake.write_whole(FOLDER, f"{record.id}.json", json.dumps(asdict(record), indent=1).encode())


def events_per_second(lake: Lake) -> float | None:
    """Return how fast earlier backfills of this lake were, None where there were none."""
    events = seconds = 0.0
    for info in _inside(lake):
        if info.type == pafs.FileType.File and info.base_name.endswith(".json"):
            record = load(lake, info.base_name.removesuffix(".json"))
            for day in record.days.values() if record else ():
                events, seconds = events + day.events, seconds + day.seconds
    return events / seconds if seconds else None


def clear_staging(lake: Lake) -> None:
    """Delete the rows that a backfill which ended early left unpublished; who calls this holds the lake's lease."""
    for info in _inside(lake):
        if info.type == pafs.FileType.Directory:
            # Some S3 servers go on listing a folder that holds nothing any more.
            with suppress(VanishedError), lake.told(info.path):
                lake.files.delete_dir(info.path)


def _inside(lake: Lake) -> list[pafs.FileInfo]:
    folder = lake.within(FOLDER)
    with lake.told(folder):
        return list(lake.files.get_file_info(pafs.FileSelector(folder, allow_not_found=True)))

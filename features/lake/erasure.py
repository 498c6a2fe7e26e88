"""Erase one user from the lake: files are rewritten without the user's rows, and it is kept that it was done.

The record holds a keyed hash of the user instead of the name, so that whoever has the key can say that a user was
erased, and nobody can read from the lake who it was. It is written before the first file is touched and again when
all is done; a run that was cut short is repeated with the same user and goes on with the same record.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs as pafs

from features.lake.compaction import is_young
from features.lake.listing import listing, tables
from features.lake.rewriting import replace as replace_files
from features.lake.rewriting import sweep
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from features.lake.lease import Lease
    from features.lake.listing import Footer
    from features.lake.location import Lake

RECORDS = "_erasures"
USER, CHANNEL = "user_id", "channel_id"
_POLL_S = 1.0


@dataclass(frozen=True)
class Erasure:
    """What was erased of a user: keyed hashes, when it began and ended (UTC), and where the rows were.

    `files` maps the lake's files that held the user's rows to how many; `data` the digest of a labelled file as it
    was to its name. `ended` is '' until all is done.
    """

    user: str
    channel: str
    begun: str
    ended: str = ""
    files: Mapping[str, int] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> dict[str, int]:
        """Rows by table."""
        by_table: dict[str, int] = {}
        for file, rows in self.files.items():
            table = file.partition("/date=")[0]
            by_table[table] = by_table.get(table, 0) + rows
        return by_table

    @property
    def place(self) -> str:
        """The record's name in the lake."""
        return f"{RECORDS}/{self.begun.replace(':', '')}-{self.user[:12]}.json"


@dataclass(frozen=True)
class Person:
    """Whom to erase: a user, in one channel where that is given, and the key of the hashes."""

    user: str
    channel: str | None
    key: bytes

    def hashed(self, value: str) -> str:
        """Return HMAC-SHA256 of a value in hex, '' of none."""
        return hmac.new(self.key, value.encode(), hashlib.sha256).hexdigest() if value else ""


def begin(lake: Lake, person: Person, data: Mapping[str, str]) -> Erasure:
    """Write the record of an erasure that begins, or take up the one that an earlier run left unfinished.

    `data` maps digests of labelled files that hold the user's rows to their names.
    """
    hashed = person.hashed(person.user), person.hashed(person.channel or "")
    for earlier in erasures(lake):
        if (earlier.user, earlier.channel, earlier.ended) == (*hashed, ""):
            begun = replace(earlier, data={**earlier.data, **data})
            break
    else:
        begun = Erasure(*hashed, begun=_now(), data=data)
    write_record(lake, begun)
    return begun


def erase(
    lake: Lake,
    person: Person,
    record: Erasure,
    lease: Lease,
    settle_s: float,
    on_step: Callable[[str], None] = lambda _: None,
) -> Erasure:
    """Rewrite every file of the lake that holds rows of the person; return the record with what was erased.

    A table takes part if it has a column `user_id`; with a channel, rows of other channels stay where the table has
    channels. A file that is younger than `settle_s` is waited for: the job may look for it if it restarts. Raises
    EchoPulseError naming a file that cannot be read; what was rewritten by then stays so.
    """
    for table in tables(lake):
        found = listing(lake, table)
        sweep(lake, table, found, lease)
        for footer in found.live:
            count = _count(lake, person, footer)
            if not count:
                continue
            place = f"{table}/{footer.file.partition}/{footer.file.name}"
            on_step(place)
            while is_young(footer, settle_s):
                lease.renew()
                time.sleep(_POLL_S)
            # Noted first: if this run ends here, the next one notes the same file again.
            record = replace(record, files={**record.files, place: count})
            write_record(lake, record)
            replace_files(lake, table, [footer], lease, person_left_out(person))
    return record


def person_left_out(person: Person) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    """Return a function that takes the person's rows out of a batch."""

    def keep(batch: pa.RecordBatch) -> pa.RecordBatch:
        theirs = pc.equal(batch.column(USER), person.user)
        if person.channel is not None and CHANNEL in batch.schema.names:
            theirs = pc.and_kleene(theirs, pc.equal(batch.column(CHANNEL), person.channel))
        return batch.filter(pc.invert(pc.fill_null(theirs, fill_value=False)))

    return keep


def end(lake: Lake, record: Erasure) -> Erasure:
    """Write that an erasure is done. One that found nothing leaves no record."""
    if not record.files and not record.data:
        path = lake.within(record.place)
        with lake.told(path):
            lake.files.delete_file(path)
        return record
    done = replace(record, ended=_now())
    write_record(lake, done)
    return done


def erasures(lake: Lake) -> list[Erasure]:
    """Return all records, oldest first. Raises EchoPulseError naming one that cannot be read."""
    folder = lake.within(RECORDS)
    with lake.told(folder):
        infos = lake.files.get_file_info(pafs.FileSelector(folder, allow_not_found=True))
    paths = sorted(info.path for info in infos if info.path.endswith(".json"))
    return [_read(lake, path) for path in paths]


def erased_data(lake: Lake) -> dict[str, Erasure]:
    """Return, by digest, the erasure that took rows from a labelled file of that digest."""
    return {digest: erasure for erasure in erasures(lake) for digest in erasure.data}


def write_record(lake: Lake, record: Erasure) -> None:
    """Write a record anew, in one step."""
    content = json.dumps(asdict(record), indent=1, sort_keys=True).encode()
    lake.write_whole(RECORDS, record.place.rpartition("/")[2], content)


def _read(lake: Lake, path: str) -> Erasure:
    with lake.told(path), lake.files.open_input_stream(path) as stream:
        text = stream.read()
    try:
        document = json.loads(text)
        return Erasure(**document)
    except (ValueError, TypeError) as error:
        raise EchoPulseError(f"{lake.named(path)} is no record of an erasure: {error}") from error


def _count(lake: Lake, person: Person, footer: Footer) -> int:
    """Count the person's rows in a file, by its statistics alone where they exclude the user."""
    if USER not in footer.schema.names:
        return 0
    where = pc.field(USER) == person.user
    if person.channel is not None and CHANNEL in footer.schema.names:
        where &= pc.field(CHANNEL) == person.channel
    with lake.told(footer.file.path):
        found = ds.dataset([footer.file.path], schema=footer.schema, format="parquet", filesystem=lake.files)
        return int(found.count_rows(filter=where))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

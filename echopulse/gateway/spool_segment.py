"""One append-only file of records: each its length and CRC-32 (little-endian, both 32 bits), then its bytes."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_HEAD = struct.Struct("<II")
_LENGTH = struct.Struct("<I")
#: What a record takes beside its own bytes.
HEAD_BYTES = _HEAD.size


@dataclass
class Segment:
    """A segment file: its number, its whole records in bytes, and how many of them nobody has read yet."""

    path: Path
    number: int
    size: int = 0
    unread: int = 0

    def records(self, start: int, most_records: int, most_bytes: int) -> list[bytes]:
        """Read whole records from a byte on: as many as the bounds allow and one at least; none where none is whole."""
        with self.path.open("rb") as file:
            file.seek(start)
            data = file.read(max(most_bytes, HEAD_BYTES))
            if len(data) >= HEAD_BYTES:
                first = HEAD_BYTES + _LENGTH.unpack_from(data)[0]
                data += file.read(max(0, min(first, self.size - start) - len(data)))
        found: list[bytes] = []
        at = 0
        while len(found) < most_records and (record := record_at(data, at)) is not None:
            found.append(record)
            at += HEAD_BYTES + len(record)
        return found


def framed(payloads: Sequence[bytes]) -> bytes:
    """Return records as they stand in a segment.

    The CRC is over length and bytes: a tail of zeros, as some file systems leave behind a crash, is then no record.
    """
    pieces: list[bytes] = []
    for payload in payloads:
        length = _LENGTH.pack(len(payload))
        pieces += [length, _LENGTH.pack(zlib.crc32(payload, zlib.crc32(length))), payload]
    return b"".join(pieces)


def cut_torn_tail(path: Path, start: int) -> tuple[int, int, int]:
    """Cut the file behind its last whole record; return its size, the whole records from `start` on, the bytes cut.

    A record whose CRC is wrong ends the file: nothing behind it can be trusted to be a record. Returned once synced.
    """
    data = path.read_bytes()
    at, unread = 0, 0
    while True:
        record = record_at(data, at)
        if record is None:
            break
        unread += at >= start
        at += HEAD_BYTES + len(record)
    if at < len(data):
        with path.open("r+b") as file:
            file.truncate(at)
            os.fsync(file.fileno())
    return at, unread, len(data) - at


def record_at(data: bytes, at: int) -> bytes | None:
    """Return the record that begins at a position, None where none stands there whole."""
    if at + HEAD_BYTES > len(data):
        return None
    length, crc = _HEAD.unpack_from(data, at)
    record = data[at + HEAD_BYTES : at + HEAD_BYTES + length]
    if len(record) < length or zlib.crc32(record, zlib.crc32(_LENGTH.pack(length))) != crc:
        return None
    return record

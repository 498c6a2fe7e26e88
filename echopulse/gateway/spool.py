"""A bounded queue of records on disk that survives the process: what is acknowledged leaves it, in order."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import time
import zlib
from typing import TYPE_CHECKING, Literal, NamedTuple

from echopulse.gateway.spool_segment import HEAD_BYTES, Segment, cut_torn_tail, framed
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: `always`: before `append` returns; `second`: at most a second's records may go with the power; `never`: the system's
#: own time. A killed process loses nothing under any of them.
Fsync = Literal["always", "second", "never"]

_CURSOR = struct.Struct("<QQI")
_SEGMENTS_IN_BOUND = 16


class Position(NamedTuple):
    """A place in the spool: the segment's number and the byte in it where the next record begins."""

    segment: int
    offset: int


class Spool:
    """Records in the order of `append`; `read` hands them on once, `acknowledge` lets them go.

    What was read and not acknowledged is there again when the folder is opened anew. One process may hold a folder.
    """

    def __init__(self, folder: Path, most_bytes: int, *, fsync: Fsync = "second") -> None:
        """Open a folder, made where missing; a torn tail is cut and counted in `torn_bytes`. Raises EchoPulseError."""
        self.most_bytes, self.torn_bytes, self.rotten = most_bytes, 0, 0
        self._folder, self._fsync, self._synced = folder, fsync, time.monotonic()
        self._segment_bytes = max(1, most_bytes // _SEGMENTS_IN_BOUND)
        self._file: int | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = (folder / "lock").open("w")
        except OSError as error:
            raise EchoPulseError(f"the spool {folder} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise EchoPulseError(f"the spool {folder} is held by another process", "stop the other gateway") from None
        try:
            self._acknowledged = self._read = self._stored_cursor()
            self._segments = self._found_segments()
        except OSError as error:
            self._lock.close()
            raise EchoPulseError(f"the spool {folder} cannot be read: {error.strerror}") from error

    @property
    def size(self) -> int:
        """The size of its files."""
        return sum(segment.size for segment in self._segments)

    @property
    def unread(self) -> int:
        """Records that `read` has not handed on yet."""
        return sum(segment.unread for segment in self._segments)

    @property
    def empty(self) -> bool:
        """Whether every record is acknowledged or dropped."""
        return all(s.number < self._acknowledged.segment or self._end(s) <= self._acknowledged for s in self._segments)

    @property
    def end(self) -> Position:
        """The place behind the last record."""
        return self._end(self._segments[-1]) if self._segments else self._acknowledged

    def holds(self, position: Position) -> bool:
        """Say whether what is before a position is neither acknowledged nor dropped, at least in part."""
        return position > self._acknowledged

    def append(self, payloads: Sequence[bytes], *, held: bool = False) -> bool:
        """Append records, all or none; False where there is no room for them. Raises OSError of the disk.

        Those that are `held` are handed on by who appends them: `read` passes over them, and nothing unread is before.
        """
        if not payloads:
            return True
        data = framed(payloads)
        if self.size + len(data) > self.most_bytes:
            return False
        if self._file is None or self._segments[-1].size >= self._segment_bytes:
            self._next_segment()
        assert self._file is not None  # noqa: S101 opened above
        last = self._segments[-1]
        try:
            _write_all(self._file, data)
        except OSError as error:
            os.ftruncate(self._file, last.size)
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                return False
            raise
        last.size += len(data)
        if held:
            self._read = self._end(last)
        else:
            last.unread += len(payloads)
        if self._fsync == "always" or (self._fsync == "second" and time.monotonic() - self._synced >= 1):
            self.sync()
        return True

    def drop_oldest(self) -> int:
        """Drop the oldest segment; return how many of its records nobody had read. What is in flight is not undone."""
        if not self._segments:
            return 0
        oldest = self._segments[0]
        self._move_to(Position(oldest.number + 1, 0))
        return oldest.unread

    def read(self, most_records: int, most_bytes: int) -> list[tuple[Position, bytes]]:
        """Return the next records, each with the position behind it; at least one where any waits."""
        taken: list[tuple[Position, bytes]] = []
        room = most_bytes
        for segment in self._segments:
            while segment.unread and len(taken) < most_records and (room > 0 or not taken):
                start = self._read.offset if segment.number == self._read.segment else 0
                records = segment.records(start, most_records - len(taken), room)
                if not records:
                    # Whole when it was opened or written, broken since: the disk's fault, and no reason to stand still.
                    self.torn_bytes += segment.size - start
                    self.rotten += segment.unread
                    segment.unread = 0
                for record in records:
                    start += HEAD_BYTES + len(record)
                    room -= len(record)
                    self._read = Position(segment.number, start)
                    taken.append((self._read, record))
                segment.unread -= len(records)
        return taken

    def acknowledge(self, position: Position) -> None:
        """Let everything before `position` go."""
        if position > self._acknowledged:
            self._move_to(position)

    def sync(self) -> None:
        """Wait until the disk holds what was appended."""
        if self._file is not None:
            os.fsync(self._file)
        self._synced = time.monotonic()

    def close(self) -> None:
        """Sync and let the folder go."""
        self.sync()
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._lock.close()

    def _end(self, segment: Segment) -> Position:
        return Position(segment.number, segment.size)

    def _move_to(self, position: Position) -> None:
        self._acknowledged, self._read = position, max(self._read, position)
        self._write_cursor(position)
        while self._segments and self._is_done(self._segments[0]):
            self._segments.pop(0).path.unlink()
            if not self._segments and self._file is not None:
                os.close(self._file)
                self._file = None

    def _write_cursor(self, position: Position) -> None:
        data = struct.pack("<QQ", *position)
        new = self._folder / "cursor.new"
        with new.open("wb") as file:
            file.write(data + struct.pack("<I", zlib.crc32(data)))
            if self._fsync == "always":
                file.flush()
                os.fsync(file.fileno())
        new.replace(self._folder / "cursor")

    def _is_done(self, segment: Segment) -> bool:
        full = segment is not self._segments[-1] or segment.size >= self._segment_bytes
        return segment.number < self._acknowledged.segment or (full and self._end(segment) <= self._acknowledged)

    def _next_segment(self) -> None:
        if self._file is not None:
            self.sync()
            os.close(self._file)
        number = self._segments[-1].number + 1 if self._segments else max(self._acknowledged.segment, 1) + 1
        path = self._folder / f"{number:020d}.segment"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._segments.append(Segment(path, number))

    def _stored_cursor(self) -> Position:
        path = self._folder / "cursor"
        stored = path.read_bytes() if path.exists() else b""
        if len(stored) != _CURSOR.size or zlib.crc32(stored[:-4]) != _CURSOR.unpack(stored)[2]:
            # Without it everything still here is sent again: repeats are dropped by event id, a loss would stay.
            return Position(0, 0)
        return Position(*_CURSOR.unpack(stored)[:2])

    def _found_segments(self) -> list[Segment]:
        found: list[Segment] = []
        for path in sorted(self._folder.glob("*.segment")):
            number = int(path.stem)
            if number < self._acknowledged.segment:
                path.unlink()
                continue
            start = self._acknowledged.offset if number == self._acknowledged.segment else 0
            size, unread, torn = cut_torn_tail(path, start)
            self.torn_bytes += torn
            found.append(Segment(path, number, size, unread))
        return found


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]

"""How many billed reads a source may still make this month, counted on disk."""

from __future__ import annotations

import fcntl
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

import orjson

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

#: So many are written down as made before they are: a killed process counts up to this many too many, never too few.
_AHEAD = 100


class ReadBudget:
    """`most` reads a month (UTC); the file is the source's own, and locked while it is open."""

    def __init__(self, path: Path, most: int) -> None:
        """Open nothing yet."""
        self._path, self._most = path.expanduser(), most
        self._file = -1
        self._month, self._made, self._written = "", 0, 0

    def __enter__(self) -> Self:
        """Read the count. Raises EchoPulseError where the file is in use, unreadable or damaged."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            counted = orjson.loads(os.pread(self._file, 1024, 0) or b"{}")
            self._month, self._made = str(counted.get("month", "")), int(counted.get("reads", 0))
        except BlockingIOError as error:
            self._close()
            raise EchoPulseError(
                f"{self._path} is counted in by another source", "give each a file of its own"
            ) from error
        except OSError as error:
            self._close()
            raise EchoPulseError(f"{self._path} cannot be opened: {error.strerror}") from error
        except (AttributeError, TypeError, ValueError) as error:
            self._close()
            hint = "look up what was spent and write it there, or delete the file to begin at 0"
            raise EchoPulseError(f"{self._path} is no count of reads", hint) from error
        self._written = self._made
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write down what was really made."""
        if self._written != self._made:
            self._write(self._made)
        self._close()

    def left(self, now: datetime) -> int:
        """Return how many reads are left in the month of `now`."""
        if self._month != (month := f"{now.astimezone(UTC):%Y-%m}"):
            self._month, self._made, self._written = month, 0, 0
        return max(0, self._most - self._made)

    def take(self, now: datetime) -> int:
        """Count a read and return how many are left."""
        self.left(now)
        self._made += 1
        if self._made > self._written:
            self._write(self._made + _AHEAD - 1)
        return self.left(now)

    def spent(self, now: datetime) -> str:
        """Return the line that says that nothing is left."""
        return f"the budget of {self._most} posts is spent for {self._month}; it goes on {self._next(now):%Y-%m-%d} UTC"

    def wait_s(self, now: datetime) -> float:
        """Return the seconds until the next month."""
        return (self._next(now) - now).total_seconds()

    def _next(self, now: datetime) -> datetime:
        first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return (first + timedelta(days=32)).replace(day=1)

    def _write(self, reads: int) -> None:
        # In place and of one length: nothing that a crash could leave half done is longer than a sector.
        os.pwrite(self._file, orjson.dumps({"month": self._month, "reads": reads}).ljust(64), 0)
        os.fsync(self._file)
        self._written = reads

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

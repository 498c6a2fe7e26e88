"""Event times: read from text or numbers, held against the times that the topic takes, moved as a whole."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from schemas.topics import EVENTS_MAX_AGE_MS, EVENTS_MAX_AHEAD_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from echopulse.gateway.rows import Faults

#: The years 1 to 9999, what a datetime can tell.
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True)
class TimeRange:
    """The event times, in ms UTC and both included, that `social.events` takes at a given now."""

    oldest_ms: int
    newest_ms: int

    @classmethod
    def around(cls, now_ms: int, *, kept_free_ms: int = 0) -> TimeRange:
        """Return the broker's limits at `now_ms`; `kept_free_ms` of the time ahead is left for what comes after."""
        return cls(now_ms - EVENTS_MAX_AGE_MS, now_ms + EVENTS_MAX_AHEAD_MS - kept_free_ms)

    def holds(self, times: pa.Int64Array) -> pa.BooleanArray:
        """Say of each time in ms whether it is inside; null for null."""
        return pc.and_(pc.greater_equal(times, self.oldest_ms), pc.less_equal(times, self.newest_ms))

    def holds_all(self, times: pa.Int64Array) -> bool:
        """Say whether all times are there and inside."""
        if times.null_count or not len(times):
            return not len(times)
        numbers = times.to_numpy()
        return bool(self.oldest_ms <= numbers.min() and numbers.max() <= self.newest_ms)

    def newest_of(self, times: pa.Int64Array) -> int | None:
        """Return the newest time that is inside, None where there is none."""
        newest: int | None = pc.max(times.filter(self.holds(times))).as_py()
        return newest

    def why_not(self, time_ms: int) -> str:
        """Say what is wrong with a time that is outside."""
        side = "before" if time_ms < self.oldest_ms else "after"
        limit = self.oldest_ms if time_ms < self.oldest_ms else self.newest_ms
        near = "; it looks like seconds, and a number is read as milliseconds"
        seconds = self.oldest_ms <= time_ms * 1000 <= self.newest_ms
        return f"ts {iso(time_ms)} is {side} {iso(limit)}, the limit of social.events{near if seconds else ''}"


def iso(time_ms: int) -> str:
    """Write a time in ms UTC as ISO 8601; a number with its unit where no calendar reaches."""
    if not _FIRST_MS <= time_ms <= _LAST_MS:
        return f"{time_ms} ms"
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def aligned_end(last_ms: int, slide_ms: int) -> int:
    """Return the end of the slide that holds `last_ms`: slides start at multiples of `slide_ms`, their end excluded."""
    return (last_ms // slide_ms + 1) * slide_ms


def times(values: Sequence[object] | pa.Int64Array, faults: Faults) -> pa.Int64Array:
    """Read event times as ms UTC: ISO 8601 text (without an offset: UTC) or a number of ms; null where missing.

    Finer fractions are cut. A value that is no time is null and named in `faults` under its position.
    """
    if isinstance(values, pa.Int64Array):
        return values
    for read_all in (_with_offset, _without_offset, _numbers, _digits):
        try:
            return read_all(values)
        except (TypeError, ValueError, OverflowError):
            continue  # not all of them are of this form
    read: list[int | None] = []
    # A mixed batch or one with a bad value; row by row it is told apart at about 1 us a row.
    for position, value in enumerate(values):
        try:
            read.append(None if value is None else milliseconds(value))
        except ValueError as error:
            faults.setdefault(position, ("validate", str(error)))
            read.append(None)
    return pa.array(read, pa.int64())


def milliseconds(value: object) -> int:
    """Read one event time as ms UTC. Raises ValueError naming the value that is none."""
    match value:
        case bool():
            pass
        case int() if -(2**63) <= value < 2**63:
            return value
        case float() if math.isfinite(value) and abs(value) < 2**63:
            return math.floor(value)
        case bytes():
            return milliseconds(value.decode(errors="replace"))
        case str():
            with suppress(ValueError):
                return milliseconds(float(value) if "." in value or "e" in value else int(value))
            with suppress(ValueError):
                moment = datetime.fromisoformat(value.strip())
                aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
                return (aware - _EPOCH) // timedelta(milliseconds=1)
    shown = repr(value)
    shown = shown if len(shown) <= _SHOWN_CHARACTERS else f"{shown[:_SHOWN_CHARACTERS]}..."
    raise ValueError(f"ts {shown} is not a time: ISO 8601 text or a number of milliseconds")


def _with_offset(values: Sequence[object]) -> pa.Int64Array:
    return _to_ms(pa.array(values, pa.string()).cast(pa.timestamp("us", "UTC")))


def _without_offset(values: Sequence[object]) -> pa.Int64Array:
    return _to_ms(pa.array(values, pa.string()).cast(pa.timestamp("us")))


def _numbers(values: Sequence[object]) -> pa.Int64Array:
    return pa.array(values, pa.int64())


def _digits(values: Sequence[object]) -> pa.Int64Array:
    return pa.array(values, pa.string()).cast(pa.int64())


def _to_ms(micros: pa.TimestampArray) -> pa.Int64Array:
    return pc.divide(micros.cast(pa.int64()), 1000)

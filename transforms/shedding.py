"""Load shed on purpose: spans of event time in which a share of events is not passed to the strong model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from schemas.errors import EchoPulseError
from transforms.keys import string_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SPAN = re.compile(r"(?P<start>[^/=,\s]*)/(?P<end>[^/=,\s]*)=(?P<share>[0-9.]+)")
_FORM = "shed: 2026-05-01T18:00Z/2026-05-01T21:30Z=0.5, an open end is left empty, several by commas"


@dataclass(frozen=True)
class Shedding:
    """Spans of event time, each with the share of events that it sheds; the last span that holds an event counts.

    Which events those are is decided by their ids, so that a replay under the same settings sheds the same ones.
    """

    spans: tuple[tuple[int, int, float], ...]

    def sheds(self, batch: pa.RecordBatch) -> NDArray[np.bool_]:
        """Say of each event (columns `id` and `ts`) whether it is shed."""
        times = batch.column("ts").cast(pa.int64()).to_numpy()
        share = np.zeros(batch.num_rows)
        for start, end, part in self.spans:
            share[(times >= start) & (times < end)] = part
        keys = string_keys(batch.column("id")).to_numpy(zero_copy_only=False).astype(np.int64) & 0xFFFFFFFF
        return np.asarray(keys < share * 2.0**32)


def parse_shedding(text: str) -> Shedding:
    """Read `START/END=SHARE, …` (ISO 8601 times, UTC where no zone is told); raises EchoPulseError."""
    spans = []
    for part in text.split(","):
        match = _SPAN.fullmatch(part.strip())
        if match is None or not 0.0 <= _share(match["share"]) <= 1.0:
            raise EchoPulseError(f"shed: '{part.strip()}' is no span of time and share", _FORM)
        start = _milliseconds(match["start"]) if match["start"] else np.iinfo(np.int64).min
        end = _milliseconds(match["end"]) if match["end"] else np.iinfo(np.int64).max
        if end <= start:
            raise EchoPulseError(f"shed: '{part.strip()}' ends before it begins", _FORM)
        spans.append((int(start), int(end), _share(match["share"])))
    return Shedding(tuple(spans))


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1.0


def _milliseconds(text: str) -> int:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise EchoPulseError(f"shed: '{text}' is no time", _FORM) from error
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1_000)

"""Events whose texts all differ: real tweets where the data lie beside the project, else the simulator's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bench.simulated import EventClock, events
from echopulse.gateway.event_time import TimeRange
from echopulse.gateway.parquet_rows import read_parquet
from echopulse.gateway.source_file import source_file
from echopulse.gateway.validation import judge
from transforms.extraction import extract, lookup
from transforms.normalisation import normalise
from transforms.screening import EARLIEST_MS, LATEST_MS

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: A recording of tweets, for `ingest replay`.
TWEETS = Path(__file__).parents[2] / "shared" / "data" / "replay.parquet"
#: Of the simulator's events fewer than one in two has a text that none before it had.
_EVENTS_PER_TEXT = 3
_SLIDE_MS = 60_000


@dataclass(frozen=True)
class DistinctTexts:
    """Events (schema EVENT), their texts as written and normalised, a row each; `said` is what they are."""

    events: pa.RecordBatch
    written: pa.StringArray
    normalised: pa.StringArray
    said: str

    def part(self, start: int, rows: int) -> DistinctTexts:
        """Return `rows` of the rows from `start` on."""
        events = self.events.slice(start, rows)
        return DistinctTexts(events, self.written.slice(start, rows), self.normalised.slice(start, rows), self.said)


def distinct_texts(count: int, file: Path = TWEETS) -> DistinctTexts:
    """Return the first `count` texts of a file of events that differ when normalised, fewer where it has no more.

    Without the file, those of the simulator.
    """
    if file.is_file():
        batches, said = read_events(file), "real tweets"
    else:
        batches = events(_EVENTS_PER_TEXT * count, EventClock.hours_ago(_SLIDE_MS).start_ms, seed=1)
        said = f"texts of the simulator (there is no {file})"
    whole = pa.Table.from_batches(batches).combine_chunks().to_batches()[0]
    written = extract(whole, lookup(whole.column("metadata"), "kind")).texts
    normalised = normalise(written).normalised
    rows = pa.array(first_of_each(normalised)[:count])
    return DistinctTexts(whole.take(rows), written.take(rows), normalised.take(rows), said)


def read_events(file: Path) -> list[pa.RecordBatch]:
    """Read a Parquet file of events; rows that are none are left out."""
    limits = TimeRange(EARLIEST_MS, LATEST_MS)
    return [judge(rows, file.name, limits).events for rows in read_parquet(source_file(file), {})]


def first_of_each(texts: pa.StringArray) -> NDArray[np.int64]:
    """Return where each text other than '' stands first, ascending."""
    encoded = pc.dictionary_encode(texts)
    _, rows = np.unique(encoded.indices.to_numpy(), return_index=True)
    worded = pc.greater(pc.binary_length(encoded.dictionary), 0).to_numpy(zero_copy_only=False)
    return np.sort(rows[worded]).astype(np.int64)

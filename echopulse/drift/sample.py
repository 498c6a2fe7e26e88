"""A sample of the lake's events of a span, as the columns that reports are made of; memory is bounded by its size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from echopulse.drift.decoding import result_columns
from echopulse.job.lake import opened
from features.lake.location import VanishedError
from features.lake.table import dataset
from schemas.codec import decode_events
from schemas.errors import EchoPulseError
from transforms.drift_measures import observed_results
from transforms.drift_texts import text_measures
from transforms.extraction import TEXT_KINDS, extract, lookup
from transforms.normalisation import normalise

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from echopulse.settings_sections import Lake

#: Columns of a report by its name: what was written, what the models said, and the texts themselves.
NUMBERS = {
    "data": ("characters", "words", "emoji", "repetition"),
    "prediction": ("balance", "toxicity", "hate", "offensive", "abstained"),
    "text": (),
}
LABELS = {"data": ("source", "language"), "prediction": ("sentiment", "model_sentiment", "model_toxicity"), "text": ()}
TEXTS = {"data": (), "prediction": (), "text": ("text",)}
_ATTEMPTS = 5
_BATCH = 10_000


@dataclass(frozen=True)
class Span:
    """Event times from `begin` (within) to `end` (not), both aware."""

    begin: datetime
    end: datetime

    def __str__(self) -> str:
        """Write it as a person does."""
        return " to ".join(f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" for moment in (self.begin, self.end))

    @property
    def expression(self) -> pc.Expression:
        """What rows of the table `events` fulfil."""
        low, high = (pa.scalar(at.astimezone(UTC).replace(tzinfo=None), pa.timestamp("ms")) for at in self._ends())
        return (pc.field("ts") >= low) & (pc.field("ts") < high)

    def covers(self, partition: str) -> bool:
        """Say whether a partition (`date=2026-01-31/hour=07`) may hold rows of it."""
        first, last = (
            f"date={at.astimezone(UTC):%Y-%m-%d}/hour={at.astimezone(UTC):%H}"
            for at in (self.begin, self.end - timedelta(milliseconds=1))
        )
        return first <= partition <= last

    def _ends(self) -> tuple[datetime, datetime]:
        return self.begin, self.end


def sampled(lake: Lake, span: Span, rows: int) -> tuple[dict[str, pa.Array], int]:
    """Return the columns of about `rows` events drawn at random, always the same ones, and how many there are in all.

    Events without a text are left out. Raises EchoPulseError where the span has none, or the lake cannot be read.
    """
    store = opened(lake)
    for _ in range(_ATTEMPTS):
        try:
            with store.told(store.within("events")):
                found = dataset(store, "events", span.covers)
                total = 0 if found is None else found.count_rows(filter=span.expression)
                if found is None or not total:
                    raise EchoPulseError(f"the lake has no events of {span}", "let the job run for longer")
                random, drawn = np.random.default_rng(0), []
                scanner = found.scanner(["event", "result"], filter=span.expression, batch_size=_BATCH)
                for batch in scanner.to_batches():
                    chosen = random.random(batch.num_rows) < rows / total
                    drawn.append(_columns(batch.filter(pa.array(chosen))))
        except VanishedError:
            continue  # compacted meanwhile
        return {name: pa.concat_arrays([part[name] for part in drawn]) for name in drawn[0]}, total
    raise EchoPulseError(f"the lake was rewritten during each of {_ATTEMPTS} reads", "try again later")


def _columns(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    decoded = decode_events(batch.column("event").cast(pa.binary()))
    events = decoded.events
    results = result_columns(batch.column("result").take(decoded.rows).to_pylist())
    extracted = extract(events, lookup(events.column("metadata"), "kind"))
    spoken = pc.and_(pc.is_in(extracted.kinds, pa.array(TEXT_KINDS)), pc.not_equal(extracted.texts, ""))
    events, results, texts = events.filter(spoken), results.filter(spoken), extracted.texts.filter(spoken)
    normalised = normalise(texts, platforms=events.column("source"), channels=events.column("channel_id"))
    measures: dict[str, NDArray[np.float64]] = text_measures(normalised, None)[0]
    measures |= observed_results(results).values
    numbers = {name for names in NUMBERS.values() for name in names}
    columns = {name: pa.array(measures[name]) for name in sorted(numbers)}
    return columns | {
        "source": events.column("source"),
        **{name: results.column(name) for name in ("language", "sentiment", "model_sentiment", "model_toxicity")},
        "text": normalised.normalised,
    }

"""What was said of an event, and its text, by its id: from the lake; from Kafka what is too new for the lake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from echopulse.job.lake import opened
from echopulse.job.topic_reader import Position, end_position, read_batches
from features.lake.table import read_table
from schemas.avro import decode_analysis
from schemas.codec import decode_events
from schemas.errors import EchoPulseError
from schemas.topics import ANALYSIS
from transforms.extraction import extract, lookup

if TYPE_CHECKING:
    from collections.abc import Iterable

    from echopulse.settings import Settings

#: Results that are looked through in the topic at most, the newest ones.
_MOST_READ = 1_000_000


def results_of(settings: Settings, event_id: str) -> list[dict[str, Any]]:
    """Return the AnalysisResults of an id, decoded; an id is one of its channel, so there may be several.

    Raises EchoPulseError where there is none, or neither lake nor Kafka can tell.
    """
    table = read_table(opened(settings.lake), "events", ["result"], where=pc.field("event_id") == event_id)
    datums = [] if table is None else table.column("result").to_pylist()
    found = [decode_analysis(datum) for datum in dict.fromkeys(datums)] or _newest(settings, event_id)
    if not found:
        raise EchoPulseError(
            f"no result of an event '{event_id}' is in the lake or among the newest of {ANALYSIS}",
            "it may be a dead letter: echopulse dlq ls",
        )
    return found


def texts_of(settings: Settings, events: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the texts of events, by channel and id, as far as the lake has them: the newest are not in it yet.

    Raises EchoPulseError where the lake cannot be read.
    """
    wanted = list(events)
    where = pc.field("event_id").isin([event_id for _, event_id in wanted])
    table = read_table(opened(settings.lake), "events", ["event"], where=where) if wanted else None
    if table is None:
        return {}
    decoded = decode_events(table.column("event").combine_chunks().cast(pa.binary())).events
    extracted = extract(decoded, lookup(decoded.column("metadata"), "kind"))
    keys = zip(decoded.column("channel_id").to_pylist(), decoded.column("id").to_pylist(), strict=True)
    return {key: text for key, text in zip(keys, extracted.texts.to_pylist(), strict=True) if key in wanted}


def _newest(settings: Settings, event_id: str) -> list[dict[str, Any]]:
    bootstrap, own = settings.kafka.bootstrap, event_id.encode()
    stop = end_position(bootstrap, ANALYSIS)
    each = -(-_MOST_READ // max(len(stop.offsets), 1))
    start = Position(ANALYSIS, {partition: max(0, offset - each) for partition, offset in stop.offsets.items()})
    datums = dict.fromkeys(
        value
        for batch in read_batches(bootstrap, start, stop)
        for message in batch
        if own in (value := message.value() or b"")
    )
    results = [decode_analysis(datum) for datum in datums]
    return [result for result in results if result["event_id"] == event_id]
